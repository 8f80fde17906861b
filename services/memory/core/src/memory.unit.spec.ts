import { describe, expect, it } from 'vitest';
import { readRecall, readRemember } from './requests.js';
import { isTrustedAtLeast, stampTrust, trustedAtLeast } from './trust.js';

describe('stampTrust', () => {
  it('marks what came from an untrusted source as untrusted, whoever writes it down', () => {
    expect(stampTrust(['request:/shop'], 'e1')).toBe('untrusted');
    expect(stampTrust(['request:/shop'], '')).toBe('untrusted');
  });

  it('marks what a workflow made from trusted items as derived, and what the tenant says as stated', () => {
    expect(stampTrust([], 'e1')).toBe('derived');
    expect(stampTrust([], '')).toBe('stated');
  });

  it('orders the levels', () => {
    expect(isTrustedAtLeast('derived', 'untrusted')).toBe(true);
    expect(isTrustedAtLeast('untrusted', 'derived')).toBe(false);
    expect(trustedAtLeast('derived')).toEqual(['derived', 'stated']);
  });
});

describe('reading requests', () => {
  it('fills defaults', () => {
    expect(readRecall({ scope: 'customer/1' })).toEqual({ ok: true, request: { scope: 'customer/1', query: '', limit: 5, trust: 'untrusted' } });
  });

  it.each([
    [{ query: 'x' }, 'Expected `scope` of recall'],
    [{ scope: 's', limit: 0 }, 'Expected `limit` of recall to be an integer from 1 to 50 but got 0.'],
    [{ scope: 's', query: 'a\u0000' }, 'Expected `query` of recall to be a text without NUL'],
    [null, 'Expected `scope` of recall'],
  ])('refuses %j with a sentence', (given, sentence) => {
    const reading = readRecall(given);
    expect(reading.ok).toBe(false);
    if (!reading.ok) expect(reading.rejection.message).toContain(sentence);
  });

  it('refuses to remember an empty text', () => {
    expect(readRemember({ scope: 's', text: '' })).toMatchObject({ ok: false, rejection: { code: 'input-invalid' } });
  });
});
