// How long an activation, one attempt of a `try`, or the whole execution may take: a durable timer, and the error it raises.
import type { ActivationKey, TimerPurpose } from '../execution/execution.events.js';
import { ROOT } from '../execution/execution.state.js';
import { standardError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';

export type LimitPurpose = Extract<TimerPurpose, 'timeout' | 'attempt'>;

/** Limits the time of an activation from now on. */
export function limitTime(advance: Advance, key: ActivationKey, purpose: LimitPurpose, ms: number): void {
  // An activation may wait for something of its own beside it.
  advance.record({ type: 'TimerSet', key, timer: `${advance.timerId(key)}.${purpose}`, purpose, due: advance.context.now + ms });
}

/**
 * The time of an activation is over: it raises `timeout`, which an enclosing `try` may catch, of an attempt also the `try` itself.
 * A workflow's own timeout ends the execution.
 */
export function endOfTimeLimit(advance: Advance, key: ActivationKey, purpose: LimitPurpose): Step {
  const { pointer } = advance.activation(key);
  const what = purpose === 'attempt' ? `each attempt of ${pointer}` : pointer || 'the workflow';
  const error = standardError('timeout', pointer || '/', 'timeout', `Expected ${what} to end within its time but it did not.`);
  if (key === ROOT) return advance.fault(error);
  return { go: 'raise', key, error, ...(purpose === 'attempt' ? { inside: true } : {}) };
}
