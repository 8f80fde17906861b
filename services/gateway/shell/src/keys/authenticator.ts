// Who calls? Lookups are remembered for a short while, so that a busy key costs one query in that time.
import { refuse } from '@weft/kernel';
import type { Clock } from '@weft/pipeline';
import { parseApiKey, proves } from './api-key.js';
import type { StoredKey } from './api-key.store.js';

/** Who calls, as proved by a key. */
export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly keyName: string;
  /** `user:NAME` where the key acts for a person, else `key:ID`. */
  readonly actor: string;
  readonly roles: readonly string[];
}

/** How long a lookup is believed, in milliseconds: a key that was revoked works at most this much longer. */
export const KEY_CACHE_MS = 10_000;
const ENTRIES_MAX = 10_000;

interface Remembered {
  readonly until: number;
  readonly key: Promise<StoredKey | undefined>;
}

export class Authenticator {
  readonly #remembered = new Map<string, Remembered>();

  constructor(
    private readonly find: (id: string) => Promise<StoredKey | undefined>,
    private readonly clock: Clock,
  ) {}

  /**
   * The caller behind an `Authorization` header.
   * @throws Refused `unauthenticated` without a key, with one that is unknown, or that was revoked. The last three cannot be told apart.
   */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) refuse('unauthenticated', 'Expected an API key as `Authorization: Bearer weft_...` but the request carries none.');
    const presented = parseApiKey(token);
    const stored = presented && (await this.#lookUp(presented.id));
    if (!presented || !stored || stored.isRevoked || !proves(presented.secret, stored)) {
      refuse('unauthenticated', 'Expected an API key of this deployment but the one in the request is unknown or was revoked.');
    }
    const { tenant, id, name, user, roles } = stored;
    return { tenant, keyId: id, keyName: name, actor: user === '' ? `key:${id}` : `user:${user}`, roles };
  }

  #lookUp(id: string): Promise<StoredKey | undefined> {
    const now = this.clock.now();
    const remembered = this.#remembered.get(id);
    if (remembered && remembered.until > now) return remembered.key;
    const key = this.find(id);
    this.#remembered.delete(id);
    this.#remembered.set(id, { until: now + KEY_CACHE_MS, key });
    // What could not be looked up is asked again.
    key.catch(() => this.#remembered.delete(id));
    if (this.#remembered.size > ENTRIES_MAX) {
      const oldest = this.#remembered.keys().next();
      if (!oldest.done) this.#remembered.delete(oldest.value);
    }
    return key;
  }
}
