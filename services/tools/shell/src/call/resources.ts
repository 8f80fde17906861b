// Documents that calls need: what publish locked, by its digest; what could not be locked, fetched now.
import type { Job } from '@weft/contracts';
import { rejection, type Failure } from '@weft/kernel';
import type { ResourceReference } from '@weft/tools/core';
import { rawUriOf } from '@weft/workflow';
import { contentOf } from '../carry-out/answer-content.js';
import { exchangeOf } from '../carry-out/send-http.js';
import type { EgressClient } from '../egress/egress-client.js';
import { classifyHttp } from '@weft/tools/core';

export type ResourceText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly failure: Failure };

export interface Resources {
  /** The text of a document. Failure codes: `unreachable`, `denied`, `http-status`, `not-configured`, `output-invalid`. */
  textOf(job: Job, resource: ResourceReference): Promise<ResourceText>;
}

const FETCH_MS = 10_000;

/** @param locked the text that publish kept for a tenant under a digest; undefined when there is none. */
export function resources(egress: EgressClient, locked: (tenant: string, digest: string) => Promise<string | undefined>): Resources {
  return {
    textOf: async (job, { uri, digest }) => {
      if (digest === undefined) return fetched(egress, job, uri);
      const text = await locked(job.context?.tenant ?? '', digest);
      return text === undefined ? { ok: false, failure: rejection('not-configured', `Expected ${uri} to be kept as it was published but there is nothing under ${digest}.`) } : { ok: true, text };
    },
  };
}

async function fetched(egress: EgressClient, job: Job, uri: string): Promise<ResourceText> {
  const sender = { name: `workflow ${job.workflow}`, origins: [], mayGoAnywherePublic: false };
  const answer = await egress.send({ method: 'GET', url: rawUriOf(uri), headers: {}, sender, timeoutMs: FETCH_MS, mayRepeat: true, redirectsMax: 3 });
  const outcome = classifyHttp('read', exchangeOf(answer));
  if (outcome.kind !== 'confirmed') return { ok: false, failure: outcome.failure };
  if (answer.kind !== 'answered') return { ok: false, failure: rejection('unreachable', `Expected ${uri} to answer but it does not.`) };
  // As text, whatever it says it is: who asked parses it.
  const reading = contentOf({ ...answer, headers: { ...answer.headers, 'content-type': 'text/plain' } });
  return reading.ok ? { ok: true, text: String(reading.content ?? '') } : { ok: false, failure: rejection('output-invalid', `Expected ${uri} to be a document but ${reading.problem}.`) };
}
