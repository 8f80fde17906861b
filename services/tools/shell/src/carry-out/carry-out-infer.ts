// A model call: candidates in the order that routing chose, until one gives an answer that fits.
import type { Command, Job } from '@weft/contracts';
import { forbidden } from '@weft/contracts';
import { rejection, type Json } from '@weft/kernel';
import { completion, failureReport, modelUnavailable, readInferInput, rejectedCandidate, type InferEvidence, type RejectedCandidate } from '@weft/tools/core';
import type { EgressClient } from '../egress/egress-client.js';
import { callModel } from '../infer/model-call.js';
import type { SchemaCache } from '../registry/schemas.js';
import type { Secrets } from '../secret/secrets.js';
import type { Gate } from './gate.js';

export interface InferPorts {
  readonly egress: EgressClient;
  readonly gate: Gate;
  readonly secrets: Secrets;
  readonly schemas: SchemaCache;
  /** Time for one candidate, milliseconds. */
  readonly modelTimeoutMs: number;
}

/** `denied`: candidates that policies left out. Failure codes: `input-invalid`, `timeout` (the execution's deadline), `model-unavailable` with every reason. */
export async function carryOutInfer(ports: InferPorts, job: Job, args: Json, denied: readonly RejectedCandidate[] = []): Promise<Command> {
  const reading = readInferInput(args);
  if (!reading.ok) return failureReport(job, reading.failure, 'none');
  const { input } = reading;
  const check = input.schema && ports.schemas.checkFor(input.schema);
  if (check instanceof Error) return failureReport(job, rejection('input-invalid', `Expected schema to be a JSON Schema but ${check.message}.`), 'none');
  const rejected: RejectedCandidate[] = [...denied];
  for (const candidate of job.models) {
    const timeoutMs = Math.min(ports.modelTimeoutMs, leftMs(job));
    if (timeoutMs <= 0)
      return failureReport(job, rejection('timeout', 'Expected an answer before the deadline of the execution but it has passed.'), 'none', { evidence: { rejected: rejected as unknown as Json } });
    const answer = await ports.gate.run(() => callModel(ports.egress, ports.secrets, { candidate, input, check, timeoutMs }));
    const unfit = answer.ok ? forbidden(answer.output, '', 0) : undefined;
    if (answer.ok && unfit === undefined) {
      const evidence: InferEvidence = { candidate: candidate.id, model: candidate.model, endpoint: hostOf(candidate.endpoint), simulated: candidate.simulated, usage: answer.usage, rejected };
      return completion(job, JSON.stringify(answer.output), evidence as unknown as Json, [`model:${candidate.id}`]);
    }
    rejected.push(rejectedCandidate(candidate.id, answer.ok ? { kind: 'schema', message: unfit ?? '' } : answer.problem));
  }
  return failureReport(job, modelUnavailable(rejected), 'none', { evidence: { rejected: rejected as unknown as Json } });
}

/** Time until the execution's deadline; without one, all the time there is. */
export function leftMs(job: Job): number {
  const deadlineMs = job.context?.deadlineMs ?? 0;
  return deadlineMs === 0 ? Number.MAX_SAFE_INTEGER : deadlineMs - Date.now();
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '');
