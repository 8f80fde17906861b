import { assertNever, invariant } from '@weft/kernel';
import type { EffectEvent } from './effect.events.js';
import { attemptsOf, type Attempt, type EffectState } from './effect.state.js';

/** Folds one event: the only place where an effect's state changes. */
export function evolveEffect(state: EffectState, event: EffectEvent): EffectState {
  switch (event.type) {
    case 'EffectDispatched': {
      const { token, effect, reconcilable, timeoutMs, subject } = event;
      // A second dispatch follows only an attempt that may have happened.
      return { status: 'dispatched', attempt: { subject, token, effect, reconcilable, timeoutMs, attempt: event.attempt, dispatchedAt: event.at, hasDoubt: state.status !== 'none' } };
    }
    case 'EffectConfirmed':
      return { status: 'confirmed', by: event.by, attempts: attemptsOf(state), output: event.output, ...(event.unusable ? { unusable: event.unusable } : {}) };
    case 'EffectFailed':
      return { status: 'failed', by: event.by, attempts: attemptsOf(state), failure: event.failure };
    case 'AnswerLost':
      return { status: 'unknown', attempt: attemptOf(state), lostAt: event.at, failure: event.failure };
    default:
      return assertNever(event, 'effect event');
  }
}

function attemptOf(state: EffectState): Attempt {
  invariant(state.status === 'dispatched' || state.status === 'unknown', `an answer can be lost only after a dispatch, not in state ${state.status}`);
  return state.attempt;
}
