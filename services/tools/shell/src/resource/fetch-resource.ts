// Gets what a workflow document refers to, out through the one way out.
import { createHash } from 'node:crypto';
import { rawUriOf } from '@weft/workflow';
import type { EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import type { Resource } from './resource.store.js';

/** Bytes of one resource. */
export const RESOURCE_BYTES_MAX = 4 * 1024 * 1024;
/** For one resource with its redirects, milliseconds. */
export const RESOURCE_MS_MAX = 5_000;

const REDIRECTS = 5;
const ACCEPTED = 'application/json, application/yaml, text/*;q=0.9, */*;q=0.5';

export type FetchedResource = { readonly ok: true; readonly resource: Resource } | { readonly ok: false; readonly problem: string };

export interface ResourceFetch {
  readonly uri: string;
  /** Who wants it, as refusals name them. */
  readonly wantedBy: string;
  /** What the holder asks for besides, such as `authorization`. Default: nothing. */
  readonly headers?: { readonly [name: string]: string };
  readonly signal?: AbortSignal;
}

/** Who asks for a resource, for egress: it may come from where `call: http` may go. */
export const resourceSender = (wantedBy: string): Sender => ({ name: `a resource of ${wantedBy}`, origins: [], mayGoAnywherePublic: false });

/**
 * Fetches a resource; a page of a Git host about a file means the file. It may come from where `call: http` may go. Never rejects: what
 * goes wrong is a sentence.
 */
export async function fetchResource(egress: EgressClient, { uri, wantedBy, headers = {}, signal }: ResourceFetch): Promise<FetchedResource> {
  const answer = await egress.stream({
    method: 'GET',
    url: rawUriOf(uri),
    headers: { accept: ACCEPTED, ...headers },
    sender: resourceSender(wantedBy),
    timeoutMs: RESOURCE_MS_MAX,
    mayRepeat: true,
    redirectsMax: REDIRECTS,
    bytesMax: RESOURCE_BYTES_MAX,
    ...(signal === undefined ? {} : { signal }),
  });
  if (answer.kind !== 'streaming') return { ok: false, problem: answer.message };
  if (answer.status !== 200) {
    answer.discard();
    return { ok: false, problem: `Expected ${uri} to be answered with HTTP 200 but it is answered with HTTP ${answer.status}.` };
  }
  const pieces: Buffer[] = [];
  try {
    for await (const piece of answer.body) pieces.push(piece);
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
  const content = Buffer.concat(pieces);
  const mediaType = (answer.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  return { ok: true, resource: { digest: createHash('sha256').update(content).digest('hex'), mediaType, content } };
}
