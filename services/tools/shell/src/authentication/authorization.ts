// How a request proves on whose behalf it comes: by a header that its policy makes, and by another one when the receiver asks again.
import { rejection, type Failure, type Json } from '@weft/kernel';
import type { EgressClient } from '../egress/egress-client.js';
import type { AuthorizationDescriptor } from '../secret/deferred-arguments.js';
import { readAuthenticationPolicy, type AuthenticationPolicy } from './authentication-policy.js';
import { digestAnswer, digestChallenge, type DigestedRequest } from './digest.js';
import type { TokenAsking, TokenSource } from './token-source.js';

/** What authentication works with. */
export interface AuthenticationPorts {
  readonly egress: EgressClient;
  readonly tokens: TokenSource;
}

export type AuthorizationReading =
  /** Undefined: the receiver has to ask first. */
  { readonly ok: true; readonly descriptor: AuthorizationDescriptor | undefined } | { readonly ok: false; readonly failure: Failure };

/** The authorization of one job. */
export interface Authorization {
  /** What goes with the first request. Failure code: `unauthenticated`. */
  first(timeoutMs: number): Promise<AuthorizationReading>;
  /**
   * What goes with the request when it is sent once more, after an answer 401; undefined: nothing better than before.
   * @param challenge the `www-authenticate` header.
   */
  again(challenge: string | undefined, request: DigestedRequest, timeoutMs: number): Promise<AuthorizationReading | undefined>;
}

/** The value of the `authorization` header. */
export const authorizationHeader = ({ scheme, parameter }: AuthorizationDescriptor): string => `${scheme} ${parameter}`;

/**
 * The authorization that a policy of the standard gives, its secrets filled in. Failure code: `not-configured`.
 * @param asking who sends: tokens are fetched where the job itself may send.
 */
export function authorizationOf(
  policy: Json,
  tokens: TokenSource,
  asking: Omit<TokenAsking, 'timeoutMs'>,
): { readonly ok: true; readonly authorization: Authorization } | { readonly ok: false; readonly failure: Failure } {
  const reading = readAuthenticationPolicy(policy);
  return reading.ok ? { ok: true, authorization: carriable(byPolicy(reading.policy, tokens, asking)) } : reading;
}

function byPolicy(policy: AuthenticationPolicy, tokens: TokenSource, asking: Omit<TokenAsking, 'timeoutMs'>): Authorization {
  switch (policy.scheme) {
    case 'basic':
      return fixed('Basic', Buffer.from(`${policy.username}:${policy.password}`).toString('base64'));
    case 'bearer':
      return fixed('Bearer', policy.token);
    case 'digest':
      return {
        first: async () => ({ ok: true, descriptor: undefined }),
        again: async (header, request) => {
          const challenge = digestChallenge(header);
          return challenge && { ok: true, descriptor: { scheme: 'Digest', parameter: digestAnswer(challenge, policy, request).slice('Digest '.length) } };
        },
      };
    case 'oauth2':
    case 'oidc': {
      const { scheme, policy: token } = policy;
      let used = '';
      const ask = async (timeoutMs: number): Promise<AuthorizationReading> => {
        const reading = await tokens.token(scheme, token, { ...asking, timeoutMs });
        if (reading.ok) used = reading.token;
        return reading.ok ? { ok: true, descriptor: { scheme: reading.type, parameter: reading.token } } : reading;
      };
      return {
        first: ask,
        // The token may have been revoked since it was kept.
        again: (_challenge, _request, timeoutMs) => {
          tokens.refuse(scheme, token, asking.tenant, used);
          return ask(timeoutMs);
        },
      };
    }
  }
}

/** Only with credentials that a header can carry: whoever sends others would tell them in its error. */
function carriable({ first, again }: Authorization): Authorization {
  return {
    first: async (timeoutMs) => checked(await first(timeoutMs)),
    again: async (challenge, request, timeoutMs) => {
      const reading = await again(challenge, request, timeoutMs);
      return reading && checked(reading);
    },
  };
}

function checked(reading: AuthorizationReading): AuthorizationReading {
  if (!reading.ok || !reading.descriptor || HEADER.test(authorizationHeader(reading.descriptor))) return reading;
  const problem = 'they hold a line break, another control character or one beyond ASCII: a secret out of a file often ends with a line break';
  return { ok: false, failure: rejection('not-configured', `Expected credentials that a header can carry but ${problem}.`) };
}

const HEADER = /^[\x20-\x7e]*$/;

function fixed(scheme: string, parameter: string): Authorization {
  return { first: async () => ({ ok: true, descriptor: { scheme, parameter } }), again: async () => undefined };
}
