// The header by which a call that is not `call: http` says on whose behalf it comes.
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json } from '@weft/kernel';
import { authorizationHeader, authorizationOf } from '../authentication/authorization.js';
import type { TokenSource } from '../authentication/token-source.js';
import type { Sender } from '../egress/egress-policy.js';
import type { Withheld } from '../secret/withheld.js';

export interface CredentialPorts {
  readonly accessTokens: TokenSource;
}

/** What goes with every request of one call. */
export type CredentialHeaders = { readonly ok: true; readonly headers: { readonly [name: string]: string } } | { readonly ok: false; readonly failure: Failure };

/**
 * Makes the header that a policy of the standard gives; none where there is no policy. What it holds is told nowhere from then on.
 * Failure codes: `not-configured` (digest too: it answers a question that only HTTP calls wait for), `unauthenticated`.
 */
export async function credentialHeaders(
  { accessTokens }: CredentialPorts,
  job: Job,
  policy: Json | undefined,
  { sender, withheld, timeoutMs }: { readonly sender: Sender; readonly withheld: Withheld; readonly timeoutMs: number },
): Promise<CredentialHeaders> {
  if (policy === undefined) return { ok: true, headers: {} };
  const made = authorizationOf(policy, accessTokens, { tenant: job.context?.tenant ?? '', sender });
  if (!made.ok) return made;
  const first = await made.authorization.first(timeoutMs);
  if (!first.ok) return first;
  const { descriptor } = first;
  if (!descriptor) return { ok: false, failure: rejection('not-configured', 'Expected an authentication that goes with the first request but it is `digest`: use basic, bearer, oauth2 or oidc.') };
  withheld.add('authorization', descriptor.parameter);
  return { ok: true, headers: { authorization: authorizationHeader(descriptor) } };
}
