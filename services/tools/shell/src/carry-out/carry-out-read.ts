// Jobs that change nothing: sent once, no ledger row. Repeating them is the workflow's choice.
import type { Command } from '@weft/contracts';
import { completion, failureReport } from '@weft/tools/core';
import { throughGates, type Gate } from './gate.js';
import type { Work } from './work.js';

/** @param signal aborted when a kill switch stops it. @param gate bounds what is on its way at once, unless the work says what does. */
export async function carryOutRead(gate: Gate, work: Work, traceparent: string, signal: AbortSignal): Promise<Command> {
  const { outcome, answer, evidence: told } = await throughGates(work.waitingGate ?? gate, work.gate, () => work.send({ untilMs: performance.now() + work.timeoutMs, traceparent, signal }));
  const evidence = { tool: work.name, effect: work.effect, ...told, ...work.permit };
  if (outcome.kind !== 'confirmed') return failureReport(work.job, outcome.failure, 'none', { evidence, taint: work.taint });
  if (!answer || answer.unusable)
    return failureReport(work.job, answer?.unusable ?? { code: 'output-invalid', message: 'Expected an answer but there is none.', retryable: false }, 'none', { evidence, taint: work.taint });
  return completion(work.job, JSON.stringify(answer.output), evidence, work.taint);
}
