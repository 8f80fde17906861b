// How the holder of a resource learns who asks, when a document is published.
import type { Json } from '@weft/kernel';
import { authorizationHeader, authorizationOf } from '../authentication/authorization.js';
import type { TokenSource } from '../authentication/token-source.js';
import { RESOURCE_MS_MAX, resourceSender } from './fetch-resource.js';

export type ResourceCredentials = { readonly ok: true; readonly headers: { readonly [name: string]: string } } | { readonly ok: false; readonly problem: string };

// Who may use a secret is decided for executions of a workflow; one that is being published has none yet.
const WAITS_FOR_EXECUTION = /"use":|\$\{/;

/**
 * The headers that an authentication policy gives. A policy that needs a secret or an expression is refused, as is one that answers a
 * challenge (`digest`). No problem tells a value.
 * @param policy of the standard, as JSON text. @param wantedBy as refusals name who asks.
 */
export async function resourceCredentials(policy: string, tokens: TokenSource, { tenant, wantedBy }: { readonly tenant: string; readonly wantedBy: string }): Promise<ResourceCredentials> {
  if (WAITS_FOR_EXECUTION.test(policy)) return { ok: false, problem: 'its authentication names a secret or an expression, which only an execution may use' };
  const made = authorizationOf(JSON.parse(policy) as Json, tokens, { tenant, sender: resourceSender(wantedBy) });
  if (!made.ok) return { ok: false, problem: made.failure.message };
  const first = await made.authorization.first(RESOURCE_MS_MAX);
  if (!first.ok) return { ok: false, problem: first.failure.message };
  return first.descriptor
    ? { ok: true, headers: { authorization: authorizationHeader(first.descriptor) } }
    : { ok: false, problem: 'its authentication is `digest`: use basic, bearer, oauth2 or oidc' };
}
