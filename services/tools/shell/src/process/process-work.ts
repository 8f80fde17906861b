// A process of `run` as a work: begun, waited for or not, and its result told in the standard's words.
import type { Job } from '@weft/contracts';
import { rejection, type Failure } from '@weft/kernel';
import type { Log } from '@weft/nest-platform';
import { failureOfProcess, outputOfProcess, type EffectClass, type ProcessInput, type ProcessResult } from '@weft/tools/core';
import { notMade, type Sending, type Sent, type Work } from '../carry-out/work.js';
import type { Background } from './background.js';

/** How a process ended: by itself, or not as it should. */
export type ProcessEnd = { readonly ok: true; readonly result: ProcessResult } | { readonly ok: false; readonly failure: Failure };

export interface ProcessRun {
  readonly kind: 'script' | 'shell' | 'container';
  readonly effect: EffectClass;
  readonly timeoutMs: number;
  readonly input: ProcessInput;
  /** Runs it to its end. Never rejects. @param signal ends it at once. */
  readonly run: (timeoutMs: number, signal: AbortSignal | undefined) => Promise<ProcessEnd>;
}

export interface ProcessPorts {
  readonly background: Background;
  /** What every process outside finds in its environment, such as PATH. */
  readonly inherited: { readonly [name: string]: string };
  readonly log: Log;
}

/** The sandbox reaches nothing, so what comes out of it is made of nothing but what went in. */
const taintOf = ({ kind, effect }: ProcessRun): readonly string[] => (effect === 'read' ? [] : [`run:${kind}`]);

export function processWork(ports: ProcessPorts, job: Job, process: ProcessRun): Work {
  const { kind, effect, timeoutMs, input } = process;
  return {
    job,
    name: `run:${kind}`,
    effect,
    timeoutMs,
    request: { arguments: input.arguments, return: input.returns },
    attributes: {},
    taint: taintOf(process),
    send: (sending) => (input.isAwaited ? awaited(process, sending) : begun(ports, job, process, sending)),
  };
}

async function awaited({ input, timeoutMs, run }: ProcessRun, { untilMs, signal, halted }: Sending): Promise<Sent> {
  const leftMs = Math.min(timeoutMs, Math.floor(untilMs - performance.now()));
  if (leftMs <= 0 || halted?.aborted) return notMade(TOO_LATE);
  const end = await run(leftMs, signal);
  if (!end.ok) return notMade(end.failure);
  const evidence = { code: end.result.code };
  const failure = failureOfProcess(end.result, input.returns);
  // A process that says that it failed is taken at its word: a retry runs it anew.
  if (failure) return { ...notMade(failure), evidence };
  return { outcome: { kind: 'confirmed' }, evidence, answer: { output: outputOfProcess(end.result, input.returns) } };
}

/** Nobody waits: what it comes to is told to the log alone. */
async function begun({ background, log }: ProcessPorts, job: Job, { kind, timeoutMs, run }: ProcessRun, { halted }: Sending): Promise<Sent> {
  if (halted?.aborted) return notMade(TOO_LATE);
  background.begin(async (signal) => {
    const end = await run(timeoutMs, signal);
    if (!end.ok) log.warn('a process that nobody waits for failed', { context: job.context, kind, reason: end.failure.message });
    else if (end.result.code !== 0) log.warn('a process that nobody waits for failed', { context: job.context, kind, code: end.result.code });
  });
  return { outcome: { kind: 'confirmed' }, evidence: { awaited: false }, answer: { output: null } };
}

const TOO_LATE = rejection('timeout', 'Expected to begin the process before its deadline but it has passed.');
