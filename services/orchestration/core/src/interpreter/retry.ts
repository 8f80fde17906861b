// Attempts of a `try`: how each begins, and whether and when another one follows.
import { hash32, retryDelayMs, type Json, type RetryPolicy } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { DurationMs } from '../program/duration.js';
import type { RetryClause } from '../program/retry.js';
import { RETRY_AFTER } from '../upgrade/engine-flags.js';
import { errorJson, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';
import { holds, type TryTask } from './catch.js';
import { limitTime } from './time-limit.js';

/** No single wait between retries is longer: a day. */
export const RETRY_DELAY_MAX_MS = 86_400_000;

/** Begins the first attempt. */
export function beginTry(advance: Advance, task: TryTask, key: ActivationKey, input: Json): Step {
  const limit = task.catch.retry?.limit;
  if (limit) advance.record({ type: 'RetriesLimited', key, until: advance.context.now + advance.evaluate(limit, input, { task, key, taskInput: input }) });
  return attemptStep(task, key);
}

/** What begins an attempt. */
export const attemptStep = (task: TryTask, key: ActivationKey): Step => (task.catch.retry?.attemptLimit ? { go: 'attempt', key } : { go: 'enter', scope: key, position: 0 });

/** Begins an attempt whose time is limited. */
export function beginAttempt(advance: Advance, key: ActivationKey): Step {
  const task = advance.taskOf(key) as TryTask;
  const { input } = advance.activation(key);
  const limit = task.catch.retry?.attemptLimit;
  if (limit) limitTime(advance, key, 'attempt', advance.evaluate(limit, input, { task, key, taskInput: input }));
  return { go: 'enter', scope: key, position: 0 };
}

/**
 * Schedules the next attempt after an error, unless the policy is used up or does not allow it: then nothing is recorded.
 * @param notBefore when who failed may be asked again: the wait is longer for it, up to `RETRY_DELAY_MAX_MS`.
 */
export function retried(advance: Advance, task: TryTask, key: ActivationKey, error: WorkflowError, notBefore = 0): { readonly step: Step } | undefined {
  const { retry } = task.catch;
  const { attempt, retryUntil = Infinity } = advance.activation(key);
  const fields = errorJson(error);
  if (!retry || attempt > retry.retriesMax || !holds(advance, task, key, fields, retry.when, true) || holds(advance, task, key, fields, retry.exceptWhen, false)) return undefined;
  // Jitter is drawn from what names this retry: every replica that decides it draws the same.
  const timer = advance.timerId(key, attempt + 1);
  const jitter = hash32(`${advance.state.executionId}${timer}`) / 2 ** 32;
  const askedMs = advance.has(RETRY_AFTER) ? Math.min(notBefore - advance.context.now, RETRY_DELAY_MAX_MS) : 0;
  const delayMs = Math.max(retryDelayMs(policyOf(advance, retry, task, key, fields), attempt, jitter), askedMs);
  if (advance.context.now + delayMs > retryUntil) return undefined;
  advance.record({ type: 'RetryScheduled', key, retry: attempt, errorType: error.type, error: fields });
  if (delayMs === 0) return { step: attemptStep(task, key) };
  advance.record({ type: 'TimerSet', key, timer, purpose: 'retry', due: advance.context.now + delayMs });
  return { step: undefined };
}

/** The policy with its durations as they are for this error. */
function policyOf(advance: Advance, { retriesMax, backoff, delay, jitter }: RetryClause, task: TryTask, key: ActivationKey, error: Json): RetryPolicy {
  const { input } = advance.activation(key);
  const msOf = (duration: DurationMs | undefined): number => (duration ? advance.evaluate(duration, input, { task, key, taskInput: input, extra: { [task.catch.as]: error } }) : 0);
  return { retriesMax, backoff, delayMs: msOf(delay), delayMaxMs: RETRY_DELAY_MAX_MS, ...(jitter ? { jitter: { fromMs: msOf(jitter.from), toMs: msOf(jitter.to) } } : {}) };
}
