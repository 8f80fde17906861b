// What every call of an MCP tool tells its server besides the arguments.
import type { Job } from '@weft/contracts';
import type { Sending } from '../carry-out/work.js';

/** Keys of `_meta` that go with every call. */
export const META = { key: 'ai.weft/idempotency-key', execution: 'ai.weft/execution', task: 'ai.weft/task', iteration: 'ai.weft/iteration' } as const;

export function metaOf(job: Job, sending: Pick<Sending, 'traceparent'>): { readonly [key: string]: string } {
  const traceparent = sending.traceparent === '' ? (job.context?.traceparent ?? '') : sending.traceparent;
  return { [META.key]: job.idempotencyKey, [META.execution]: job.executionId, [META.task]: job.pointer, [META.iteration]: job.iteration, ...(traceparent === '' ? {} : { traceparent }) };
}
