// Jobs that change nothing: sent once, no ledger row. Repeating them is the workflow's choice.
import type { Command } from '@weft/contracts';
import { completion, failureReport } from '@weft/tools/core';
import type { HttpWork } from './http-job.js';
import { sendHttp, type Sending } from './send-http.js';

export async function carryOutRead(sending: Sending, work: HttpWork, headers: { readonly [name: string]: string }): Promise<Command> {
  const { outcome, answer, status } = await sending.gate.run(() => sendHttp(sending, work, performance.now() + work.timeoutMs, headers));
  const evidence = { tool: work.name, effect: work.effect, ...(status === undefined ? {} : { status }) };
  if (outcome.kind !== 'confirmed') return failureReport(work.job, outcome.failure, 'none', { evidence });
  if (!answer || answer.unusable)
    return failureReport(work.job, answer?.unusable ?? { code: 'output-invalid', message: 'Expected an answer but there is none.', retryable: false }, 'none', { evidence });
  return completion(work.job, JSON.stringify(answer.output), evidence, work.taint);
}
