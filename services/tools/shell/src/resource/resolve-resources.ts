// Resolves what a workflow document refers to, when it is published.
import { isUtf8 } from 'node:buffer';
import type { ResolvedResource, ResourceRequest, ToolsPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { EgressClient } from '../egress/egress-client.js';
import type { TokenSource } from '../authentication/token-source.js';
import { resourceCredentials } from './resource-credentials.js';
import { fetchResource, type FetchedResource } from './fetch-resource.js';
import type { ResourceStore } from './resource.store.js';

/** Resources of one call, and how many of them are fetched at once. */
export const RESOURCES_MAX = 100;
const AT_ONCE = 8;
/** Bytes of one text that is handed back, and of all of one call: they are kept with the definition. */
export const TEXT_BYTES_MAX = 256 * 1024;
export const TEXTS_BYTES_MAX = 2 * 1024 * 1024;

const NO_CREDENTIALS = { ok: true, headers: {} } as const;

export interface ResourcePorts {
  readonly egress: EgressClient;
  /** Where access tokens come from that holders of resources ask for. */
  readonly tokens: TokenSource;
  readonly store: Pick<ResourceStore, 'keep'>;
  readonly signal: AbortSignal;
}

/** Refusal: `request-invalid`. What cannot be fetched or handed back is a problem of its own in the answer. */
export function resolveResources({ egress, tokens, store, signal }: ResourcePorts): ToolsPeer['resolveResources'] {
  return async ({ resources }, { tenant }) => {
    if (resources.length > RESOURCES_MAX) refuse('request-invalid', `Expected at most ${RESOURCES_MAX} resources but got ${resources.length}.`);
    const fetched = await eachOf(resources, (request) => fetchOne(request, tenant));
    await store.keep(
      tenant,
      fetched.flatMap((one) => (one.ok ? [one.resource] : [])),
    );
    let left = TEXTS_BYTES_MAX;
    return {
      resources: resources.map((request, position) => {
        const answer = answerOf(request, fetched[position]!, left);
        if (answer.text !== '') left -= answer.bytes;
        return answer;
      }),
    };
  };

  async function fetchOne({ uri, authenticationJson }: ResourceRequest, tenant: string): Promise<FetchedResource> {
    const wantedBy = `the workflows of ${tenant}`;
    const credentials = authenticationJson === '' ? NO_CREDENTIALS : await resourceCredentials(authenticationJson, tokens, { tenant, wantedBy });
    if (!credentials.ok) return { ok: false, problem: `Expected to fetch ${uri} but ${credentials.problem}.` };
    return fetchResource(egress, { uri, wantedBy, headers: credentials.headers, signal });
  }
}

function answerOf({ uri, wantsText }: ResourceRequest, fetched: FetchedResource, left: number): ResolvedResource {
  const unusable = (problem: string): ResolvedResource => ({ uri, digest: '', mediaType: '', bytes: 0, text: '', problem });
  if (!fetched.ok) return unusable(fetched.problem);
  const { digest, mediaType, content } = fetched.resource;
  const answer = { uri, digest, mediaType, bytes: content.length, text: '', problem: '' };
  if (!wantsText) return answer;
  if (content.length > TEXT_BYTES_MAX) return unusable(`Expected at most ${TEXT_BYTES_MAX} bytes at ${uri} but it has ${content.length}.`);
  if (content.length > left) return unusable(`Expected schemas and functions of at most ${TEXTS_BYTES_MAX} bytes together but with ${uri} they are more.`);
  if (!isUtf8(content)) return unusable(`Expected text in UTF-8 at ${uri} but it is none.`);
  return { ...answer, text: content.toString('utf8') };
}

/** In their order, a few at once. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = new Array<R>(items.length);
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [position, item] of queue) results[position] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
  return results;
}
