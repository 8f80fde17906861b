// What whoever carries out the job does next, given what the ledger knows.
import { assertNever, type Failure, type Instant, type Json } from '@weft/kernel';
import { attemptOverAt, type EffectState } from './effect.state.js';

/** How often one carrying-out of a job sends an idempotent write whose answers get lost, before it asks the workflow. */
export const SENDS_PER_JOB_MAX = 3;

// Waits before an idempotent write is sent again: 200 ms, then 800 ms.
const RESEND_MS = 200;
const RESEND_FACTOR = 4;

export type EffectStep =
  /** Record a dispatch and send. */
  | { readonly do: 'dispatch' }
  /** The dispatch under this token is recorded: send now. */
  | { readonly do: 'send' }
  /** An attempt may still be running, or it is too early to send again: look again then. */
  | { readonly do: 'wait'; readonly until: Instant }
  /** The attempt was abandoned: record that its answer is lost. */
  | { readonly do: 'lose' }
  /** Ask the tool's hook whether it happened. */
  | { readonly do: 'reconcile' }
  /** No hook can tell: a person has to. */
  | { readonly do: 'askPerson'; readonly failure: Failure }
  /** Sent often enough; the workflow decides whether to try again, under the same key. */
  | { readonly do: 'giveUp'; readonly failure: Failure }
  | { readonly do: 'complete'; readonly output: Json; readonly unusable?: Failure }
  | { readonly do: 'fail'; readonly failure: Failure };

/** Who asks, and when. */
export interface Asking {
  /** Time of the store. */
  readonly now: Instant;
  /** Token under which the asker would send, or has sent. */
  readonly token: string;
  /** How often this carrying-out of the job has sent the effect. */
  readonly sent: number;
}

/** The next step. An effect that may have happened is never sent again unless its receiver recognises the key. */
export function nextStep(state: EffectState, { now, token, sent }: Asking): EffectStep {
  switch (state.status) {
    case 'none':
      return { do: 'dispatch' };
    case 'confirmed':
      return { do: 'complete', output: state.output, ...(state.unusable ? { unusable: state.unusable } : {}) };
    case 'failed':
      return { do: 'fail', failure: state.failure };
    case 'dispatched': {
      const { attempt } = state;
      if (attempt.token === token) return { do: 'send' };
      const until = attemptOverAt(attempt);
      if (now < until) return { do: 'wait', until };
      return attempt.effect === 'idempotent-write' ? { do: 'dispatch' } : { do: 'lose' };
    }
    case 'unknown': {
      const { attempt, failure } = state;
      if (attempt.effect === 'idempotent-write') {
        if (sent >= SENDS_PER_JOB_MAX) return { do: 'giveUp', failure };
        const until = sent === 0 ? 0 : state.lostAt + RESEND_MS * RESEND_FACTOR ** (sent - 1);
        return now < until ? { do: 'wait', until } : { do: 'dispatch' };
      }
      if (!attempt.reconcilable) return { do: 'askPerson', failure };
      // A hook asked while the receiver is still at work would say "no" about something that is about to happen.
      const until = attemptOverAt(attempt);
      return now < until ? { do: 'wait', until } : { do: 'reconcile' };
    }
    default:
      return assertNever(state, 'effect state');
  }
}

/** Looks at a hook that does not tell, before a person is asked. */
export const RECONCILE_TRIES_MAX = 6;

/** Wait after a look that did not tell. @param tries looks so far, from 1. @returns milliseconds: 250, 500, 1,000 ... */
export const reconcileWaitMs = (tries: number): number => 250 * 2 ** (tries - 1);
