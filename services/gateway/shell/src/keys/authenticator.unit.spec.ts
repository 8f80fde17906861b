import { describe, expect, it } from 'vitest';
import { apiKeyText, newApiKey, parseApiKey, proofOf, proves } from './api-key.js';
import type { StoredKey } from './api-key.store.js';
import { Authenticator, KEY_CACHE_MS } from './authenticator.js';

const key = newApiKey();
const header = `Bearer ${apiKeyText(key)}`;
const stored: StoredKey = { id: key.id, tenant: 'acme', name: 'spec', user: '', roles: [], isRevoked: false, ...proofOf(key.secret) };

describe('an API key', () => {
  it('reads back as it was written, and nothing else does', () => {
    expect(parseApiKey(apiKeyText(key))).toEqual(key);
    for (const text of ['', 'weft_', apiKeyText(key).toUpperCase(), `${apiKeyText(key)}0`, apiKeyText(key).slice(1)]) expect(parseApiKey(text)).toBeUndefined();
  });

  it('is proved by its own secret alone, under a salt of its own', () => {
    expect(proves(key.secret, stored)).toBe(true);
    expect(proves(newApiKey().secret, stored)).toBe(false);
    expect(proofOf(key.secret).digest).not.toEqual(stored.digest);
  });
});

describe('Authenticator', () => {
  it('looks a key up once in its cache time, and follows a revocation after it', async () => {
    let [now, lookups, isRevoked] = [0, 0, false];
    const authenticator = new Authenticator(async () => (lookups++, { ...stored, isRevoked }), { now: () => now });
    for (let n = 0; n < 3; n++) expect(await authenticator.authenticate(header)).toEqual({ tenant: 'acme', keyId: key.id, keyName: 'spec', actor: `key:${key.id}`, roles: [] });
    expect(lookups).toBe(1);
    isRevoked = true;
    now = KEY_CACHE_MS;
    await expect(authenticator.authenticate(header)).rejects.toMatchObject({ rejection: { code: 'unauthenticated' } });
    expect(lookups).toBe(2);
  });

  it('does not remember a lookup that failed', async () => {
    let lookups = 0;
    const authenticator = new Authenticator(() => (lookups++ === 0 ? Promise.reject(new Error('the store is away')) : Promise.resolve(stored)), { now: () => 0 });
    await expect(authenticator.authenticate(header)).rejects.toThrow('the store is away');
    expect(await authenticator.authenticate(header)).toMatchObject({ tenant: 'acme' });
  });
});
