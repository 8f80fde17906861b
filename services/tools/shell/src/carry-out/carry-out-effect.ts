// Jobs that change something: the ledger says what to do next, this does it, until there is something to report.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '@weft/contracts';
import { assertNever, Defect, type Failure, type Json, type JsonObject } from '@weft/kernel';
import type { Log } from '@weft/nest-platform';
import { failpoint } from '@weft/pipeline';
import {
  attemptsOf,
  completion,
  failureReport,
  nextStep,
  RECONCILE_TRIES_MAX,
  reconcileWaitMs,
  SENDS_PER_JOB_MAX,
  type EffectCommand,
  type EffectState,
  type EffectSubject,
  type EffectStep,
  type FailureMore,
} from '@weft/tools/core';
import type { Permissions } from '../permission/permissions.js';
import type { EffectLedger } from '../persist/effect.ledger.js';
import { throughGates, type Gate } from './gate.js';
import { INTERNAL_ERROR, isForLater } from './internal-error.js';
import { stoppableOf } from './permission-step.js';
import type { Sending, Work } from './work.js';

export interface EffectPorts {
  /** Bounds what is on its way at once. */
  readonly gate: Gate;
  readonly ledger: EffectLedger;
  readonly permissions: Permissions;
  /** Aborted when the process shuts down: who only waits then leaves, and the job is dispatched again elsewhere. */
  readonly signal: AbortSignal;
  /** Told when a receiver confirms what the ledger holds as failed. */
  readonly onContradiction: (key: string, message: string) => void;
  readonly log: Log;
}

/** What this carrying-out has done so far. */
interface Run {
  sent: number;
  reconciled: number;
  /** A kill switch stopped it: nothing more is sent. */
  isStopped: boolean;
  /** What the transport told the last time. */
  told?: JsonObject | undefined;
}

/** Carries out one effect. Undefined: nothing to report yet, the process is going. @throws Fault (retryable) when the ledger takes no more. */
export async function carryOutEffect(ports: EffectPorts, work: Work, traceparent: string): Promise<Command | undefined> {
  const { ledger } = ports;
  const key = work.job.idempotencyKey;
  const run: Run = { sent: 0, reconciled: 0, isStopped: work.barred !== undefined };
  try {
    let state = await settled(ports, work);
    for (;;) {
      const step: EffectStep = state ? nextStep(state, { now: ledger.now(), token: '', sent: sendsCounted(run) }) : { do: 'dispatch' };
      switch (step.do) {
        case 'dispatch':
        case 'lose':
          if (work.barred && step.do === 'dispatch') {
            // Nothing is sent: only what the ledger knows is told.
            if (state) return reportBarred(work, work.barred, state, run);
            state = await ledger.look(key);
            if (state.status === 'none') return failureReport(work.job, work.barred, 'none');
            break;
          }
          // The place is taken before the dispatch is recorded: an attempt's time is not spent in a queue.
          state = await throughGates(ports.gate, work.gate, () => attempt(ports, work, run, traceparent));
          break;
        case 'wait':
          if (!(await waited(step.until - ledger.now(), ports.signal))) return undefined;
          // Somebody else may have settled it meanwhile: ask again.
          state = undefined;
          break;
        case 'reconcile': {
          const answer = await reconcile(ports, work, run);
          if (answer) state = (await ledger.ask(key, answer)).state;
          else if (run.reconciled >= RECONCILE_TRIES_MAX && state?.status === 'unknown') return failureReport(work.job, state.failure, 'unknown', { needsPerson: true, ...wordsOf(work, state, run) });
          else if (!(await waited(reconcileWaitMs(run.reconciled), ports.signal))) return undefined;
          break;
        }
        case 'askPerson':
          return failureReport(work.job, step.failure, 'unknown', { needsPerson: true, ...wordsOf(work, state, run) });
        case 'giveUp':
          return failureReport(work.job, step.failure, 'unknown', wordsOf(work, state, run));
        case 'fail':
          return failureReport(work.job, step.failure, 'failed', wordsOf(work, state, run));
        case 'complete':
          // It happened: trying again under the same key would get the same answer.
          if (step.unusable) return failureReport(work.job, step.unusable, 'none', wordsOf(work, state, run));
          return completion(work.job, JSON.stringify(step.output), evidenceOf(work, state, run), work.taint);
        case 'send':
          throw new Defect('a dispatch belongs to the attempt that recorded it, and this one has ended');
        default:
          return assertNever(step, 'effect step');
      }
    }
  } catch (error) {
    if (isForLater(error)) throw error;
    // The ledger would refuse it again, and an idempotent write would be sent each time.
    ports.log.error('an effect met an error', { context: work.job.context, error });
    if (!(await mayHaveHappened(ports, work, run))) return failureReport(work.job, INTERNAL_ERROR, 'none');
    return failureReport(work.job, INTERNAL_ERROR, 'unknown', { needsPerson: work.effect === 'non-idempotent-write', ...wordsOf(work, undefined, run) });
  } finally {
    ledger.forget(key);
  }
}

/** Whether anybody may have sent the effect. Who sends records it first: without a row nobody has, unless a person was asked about it. */
async function mayHaveHappened({ ledger }: EffectPorts, { job }: Work, run: Run): Promise<boolean> {
  if (run.sent > 0 || job.settlement) return true;
  try {
    return (await ledger.look(job.idempotencyKey)).status !== 'none';
  } catch (error) {
    if (isForLater(error)) throw error;
    return true;
  }
}

/** A person's word that came with the job goes into the ledger first. */
async function settled({ ledger }: EffectPorts, work: Work): Promise<EffectState | undefined> {
  const { job } = work;
  if (!job.settlement) return undefined;
  const { happened, outputJson, decidedBy } = job.settlement;
  const output = outputJson === '' ? null : (JSON.parse(outputJson) as Json);
  const settle: EffectCommand = { type: 'Settle', happened, output, person: decidedBy };
  const told = await ledger.ask(job.idempotencyKey, settle);
  if (!told.rejection) return told.state;
  // The ledger has lost the effect that the person was asked about: the dispatch is recorded again, never sent, and settled.
  await ledger.ask(job.idempotencyKey, dispatchOf(work, randomUUID(), 0));
  return (await ledger.ask(job.idempotencyKey, settle)).state;
}

/** Records a dispatch and, when it is this one's to send, sends and records what came of it. */
async function attempt(ports: EffectPorts, work: Work, run: Run, traceparent: string): Promise<EffectState> {
  const { ledger } = ports;
  const key = work.job.idempotencyKey;
  const token = randomUUID();
  // Counted from before the record: a process that was paused in between does not send late.
  const untilMs = performance.now() + work.timeoutMs;
  await ports.permissions.fresh();
  failpoint('tools.record-dispatch', 'before');
  const { state } = await ledger.ask(key, dispatchOf(work, token, run.sent));
  failpoint('tools.record-dispatch', 'after');
  if (nextStep(state, { now: ledger.now(), token, sent: run.sent }).do !== 'send') return state;
  const stopped = (): Failure | undefined => ports.permissions.stopped(stoppableOf(work.job, work.name));
  const stop = async (failure: Failure): Promise<EffectState> => {
    run.isStopped = true;
    return (await ledger.ask(key, { type: 'Fail', token, failure })).state;
  };
  const before = stopped();
  if (before) return stop(before);
  run.sent++;
  failpoint('tools.send-effect', 'before');
  const outcome = await sendUnless(ports, stopped, (halted) => send(work, run, token, { untilMs, traceparent, halted }));
  failpoint('tools.send-effect', 'after');
  // It was still on its way when it was stopped, as in the queue of a worker: nothing was done.
  const after = outcome.type === 'Fail' ? stopped() : undefined;
  if (after) return stop(after);
  failpoint('tools.record-outcome', 'before');
  const answer = await ledger.ask(key, outcome);
  failpoint('tools.record-outcome', 'after');
  if (answer.rejection) ports.onContradiction(key, answer.rejection.message);
  return answer.state;
}

/** Sends, and halts what has not left yet when a kill switch stops it meanwhile. */
async function sendUnless<T>({ permissions }: EffectPorts, stopped: () => Failure | undefined, run: (halted: AbortSignal) => Promise<T>): Promise<T> {
  const halt = new AbortController();
  const unwatch = permissions.onSwitch(() => stopped() && halt.abort());
  try {
    return await run(halt.signal);
  } finally {
    unwatch();
  }
}

/** Who is stopped sends no more, as if it had been sent often enough. */
const sendsCounted = ({ isStopped, sent }: Run): number => (isStopped ? SENDS_PER_JOB_MAX : sent);

/** It was sent before, its time is over, and nothing more may be sent: nobody knows whether it happened. */
function reportBarred(work: Work, barred: Failure, state: EffectState, run: Run): Command {
  return failureReport(work.job, barred, 'unknown', { needsPerson: work.effect === 'non-idempotent-write', ...wordsOf(work, state, run) });
}

function dispatchOf({ job, name, effect, timeoutMs, request, reconcile }: Work, token: string, sent: number): EffectCommand {
  const subject: EffectSubject = { executionId: job.executionId, pointer: job.pointer, iteration: job.iteration, generation: job.generation, tool: name };
  // Only writes come here; what a read does is never recorded.
  return { type: 'Dispatch', token, sent, effect: effect === 'idempotent-write' ? effect : 'non-idempotent-write', reconcilable: reconcile !== undefined, timeoutMs, subject, request };
}

async function send(work: Work, run: Run, token: string, sending: Sending): Promise<EffectCommand> {
  const { outcome, answer, evidence } = await work.send(sending);
  run.told = evidence;
  switch (outcome.kind) {
    case 'confirmed':
      return { type: 'Confirm', token, output: answer?.output ?? null, ...(answer?.unusable ? { unusable: answer.unusable } : {}) };
    case 'failed':
      return { type: 'Fail', token, failure: outcome.failure };
    case 'unknown':
      return { type: 'LoseAnswer', token, failure: outcome.failure };
  }
}

/** Asks the hook. Undefined: it did not tell. */
async function reconcile({ gate, signal }: EffectPorts, work: Work, run: Run): Promise<EffectCommand | undefined> {
  run.reconciled++;
  failpoint('tools.reconcile', 'before');
  const told = await gate.run(async () => work.reconcile?.(signal));
  failpoint('tools.reconcile', 'after');
  if (told === undefined || told.happened === 'unclear') return undefined;
  return { type: 'Reconcile', happened: told.happened, output: told.happened ? told.output : null };
}

/** What a failure tells besides: whoever was asked may have chosen its words. */
const wordsOf = (work: Work, state: EffectState | undefined, run: Run): Required<Pick<FailureMore, 'evidence' | 'taint'>> => ({ evidence: evidenceOf(work, state, run), taint: work.taint });

function evidenceOf(work: Work, state: EffectState | undefined, run: Run): Json {
  const by = state && 'by' in state ? { by: state.by } : {};
  // `sent` 0 with a known outcome: answered from the ledger, not done again.
  return { tool: work.name, effect: work.effect, attempts: state ? attemptsOf(state) : 0, sent: run.sent, ...run.told, ...by, ...work.permit };
}

/** @returns whether the time has passed; false when the process is going. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  try {
    await sleep(Math.max(1, ms), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
