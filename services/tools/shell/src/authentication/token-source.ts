// Access tokens of authorization servers, kept until shortly before they expire.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { createHash } from 'node:crypto';
import { contentOf } from '../carry-out/answer-content.js';
import type { EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import type { TokenPolicy } from './authentication-policy.js';
import { tokenRequest } from './token-request.js';

export type TokenReading = { readonly ok: true; readonly type: string; readonly token: string } | { readonly ok: false; readonly failure: Failure };

/** Who asks for a token, and for how long. */
export interface TokenAsking {
  /** Tokens of one tenant are nobody else's. */
  readonly tenant: string;
  readonly sender: Sender;
  readonly timeoutMs: number;
}

/** A token is used no more this long before it expires. */
const MARGIN_MS = 30_000;
/** A token whose answer does not say how long it holds. */
const LIFETIME_MS_DEFAULT = 60_000;
const TOKENS_MAX = 1_000;
const DISCOVERY = '/.well-known/openid-configuration';

interface Kept {
  readonly reading: Promise<TokenReading>;
  usableUntil: number;
  /** Once it is there. */
  token?: string;
}

export class TokenSource {
  readonly #kept = new Map<string, Kept>();

  /** @param now milliseconds since the Unix epoch. */
  constructor(
    private readonly egress: EgressClient,
    private readonly now: () => number = Date.now,
  ) {}

  /** A token for a policy: one that is kept, or a new one. Several that ask for the same at once share one request. Failure code: `unauthenticated`. */
  token(scheme: 'oauth2' | 'oidc', policy: TokenPolicy, asking: TokenAsking): Promise<TokenReading> {
    const key = keyOf(scheme, policy, asking.tenant);
    const known = this.#kept.get(key);
    if (known && known.usableUntil > this.now()) return known.reading;
    if (this.#kept.size >= TOKENS_MAX) this.#kept.clear();
    const kept: Kept = { reading: this.#ask(scheme, policy, asking, (usableUntil) => (kept.usableUntil = usableUntil)), usableUntil: Infinity };
    this.#kept.set(key, kept);
    void kept.reading.then((reading) => {
      if (reading.ok) kept.token = reading.token;
      else this.#forget(key, kept);
    });
    return kept.reading;
  }

  /** Forgets a token that its receiver refused, unless another one is kept since. */
  refuse(scheme: 'oauth2' | 'oidc', policy: TokenPolicy, tenant: string, token: string): void {
    const key = keyOf(scheme, policy, tenant);
    if (this.#kept.get(key)?.token === token) this.#kept.delete(key);
  }

  #forget(key: string, kept: Kept): void {
    if (this.#kept.get(key) === kept) this.#kept.delete(key);
  }

  async #ask(scheme: 'oauth2' | 'oidc', policy: TokenPolicy, asking: TokenAsking, keepUntil: (at: number) => void): Promise<TokenReading> {
    const place = await this.#endpointOf(scheme, policy, asking);
    if (!place.ok) return place;
    const { headers, body } = tokenRequest(policy, place.url, this.now());
    const answer = await this.#json('POST', place.url, asking, headers, body);
    if (!answer.ok) return answer;
    const { access_token: token, token_type: type, expires_in: seconds } = answer.content;
    if (typeof token !== 'string' || token === '') return refused(place.url, 'its answer has no access_token');
    const issuer = issuerOf(token);
    const issuers = place.issuer === undefined ? policy.issuers : [...policy.issuers, place.issuer];
    if (policy.issuers.length > 0 && (issuer === undefined || !issuers.includes(issuer)))
      return refused(place.url, `its token is of issuer ${excerpt(issuer)}, which is none of ${issuers.join(', ')}`);
    keepUntil(this.now() + (Number(seconds) > 0 ? Number(seconds) * 1000 : LIFETIME_MS_DEFAULT) - MARGIN_MS);
    return { ok: true, type: typeof type === 'string' && !/^bearer$/i.test(type) ? type : 'Bearer', token };
  }

  async #endpointOf(
    scheme: 'oauth2' | 'oidc',
    { authority, tokenPath, issuers }: TokenPolicy,
    asking: TokenAsking,
  ): Promise<{ readonly ok: true; readonly url: string; readonly issuer?: string } | Extract<TokenReading, { ok: false }>> {
    const below = authority.replace(/\/$/, '');
    if (scheme === 'oauth2') return { ok: true, url: `${below}/${(tokenPath ?? '/oauth2/token').replace(/^\//, '')}` };
    const place = below.endsWith(DISCOVERY) ? below : `${below}${DISCOVERY}`;
    const answer = await this.#json('GET', place, asking, { accept: 'application/json' });
    if (!answer.ok) return answer;
    const { token_endpoint: url, issuer } = answer.content;
    if (typeof url !== 'string' || !URL.canParse(url)) return refused(place, 'it names no token_endpoint');
    // Source: OpenID Connect Discovery 1.0, section 4.3.
    if (typeof issuer !== 'string' || (`${issuer.replace(/\/$/, '')}${DISCOVERY}` !== place && !issuers.includes(issuer))) return refused(place, `its issuer ${excerpt(issuer)} is another one`);
    return { ok: true, url, issuer };
  }

  async #json(
    method: 'GET' | 'POST',
    url: string,
    { sender, timeoutMs }: TokenAsking,
    headers: { readonly [name: string]: string },
    body?: string,
  ): Promise<{ readonly ok: true; readonly content: JsonObject } | Extract<TokenReading, { ok: false }>> {
    const answer = await this.egress.send({ method, url, headers, ...(body === undefined ? {} : { body }), sender, timeoutMs, mayRepeat: method === 'GET' });
    if (answer.kind !== 'answered') return refused(url, answer.message, answer.kind === 'lost' || answer.retryable);
    const reading = contentOf(answer);
    const content: Json = reading.ok ? reading.content : null;
    if (answer.status !== 200 || !isJsonObject(content))
      return refused(
        url,
        `it answers HTTP ${answer.status}${isJsonObject(content) && typeof content['error'] === 'string' ? ` (${content['error'].slice(0, 80)})` : ''}`,
        answer.status >= 500 || answer.status === 429,
      );
    return { ok: true, content };
  }
}

// Whoever knows the policy with its secrets may have its tokens; the key tells nobody.
const keyOf = (scheme: string, policy: TokenPolicy, tenant: string): string =>
  createHash('sha256')
    .update(JSON.stringify([tenant, scheme, policy]))
    .digest('base64');

/** Issuer of a token that is a JWT. Its signature is its receiver's business. */
function issuerOf(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { readonly iss?: unknown };
    return typeof claims.iss === 'string' ? claims.iss : undefined;
  } catch {
    return undefined;
  }
}

const excerpt = (issuer: Json | undefined): string => JSON.stringify(issuer ?? 'nobody').slice(0, 200);

function refused(url: string, problem: string, retryable = false): Extract<TokenReading, { ok: false }> {
  return { ok: false, failure: rejection('unauthenticated', `Expected a token from ${new URL(url).origin} but ${problem.replace(/\.$/, '')}.`, { retryable }) };
}
