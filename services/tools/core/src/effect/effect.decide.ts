// The effect ledger: intent and dispatch -> confirmed | failed | unknown; unknown -> confirmed | failed by hook or person.
import { accepted, assertNever, rejection, type DecideContext, type Decider, type Decision, type Failure } from '@weft/kernel';
import type { EffectCommand } from './effect.commands.js';
import type { EffectEvent } from './effect.events.js';
import { evolveEffect } from './effect.evolve.js';
import { attemptsOf, initialEffect, type EffectState } from './effect.state.js';
import { nextStep } from './effect.step.js';

export type EffectDecision = Decision<EffectEvent, never>;

const DUPLICATE: EffectDecision = { kind: 'ignored', reason: 'duplicate' };
const STALE: EffectDecision = { kind: 'ignored', reason: 'stale' };

/** A crash between sending and recording the outcome: nobody knows. */
export const ABANDONED: Failure = {
  code: 'effect-unknown',
  message: 'Expected an answer from whoever sent the effect, but its deadline passed without one: it may have happened.',
  retryable: false,
};

/** Decides about one effect. Rejection codes: `effect-contradicted`, `unknown-effect`. */
export function decideEffect(state: EffectState, command: EffectCommand, context: DecideContext): EffectDecision {
  switch (command.type) {
    case 'Dispatch':
      return dispatch(state, command, context);
    case 'Confirm':
      return confirm(state, command, context);
    case 'Fail':
      return fail(state, command, context);
    case 'LoseAnswer':
      if (state.status !== 'dispatched') return DUPLICATE;
      return state.attempt.token === command.token ? accepted([{ type: 'AnswerLost', at: context.now, failure: command.failure }]) : STALE;
    case 'Reconcile':
      if (state.status !== 'unknown') return DUPLICATE;
      return accepted([settled(command.happened, 'reconcile', command, context)]);
    case 'Settle':
      return settle(state, command, context);
    default:
      return assertNever(command, 'effect command');
  }
}

export const effectDecider: Decider<EffectState, EffectCommand, EffectEvent, never> = { initial: initialEffect, decide: decideEffect, evolve: evolveEffect };

function dispatch(state: EffectState, command: Extract<EffectCommand, { type: 'Dispatch' }>, { now }: DecideContext): EffectDecision {
  const step = nextStep(state, { now, token: command.token, sent: command.sent });
  if (step.do === 'lose') return accepted([{ type: 'AnswerLost', at: now, failure: ABANDONED }]);
  if (step.do !== 'dispatch') return DUPLICATE;
  const { token, effect, reconcilable, timeoutMs, subject, request } = command;
  return accepted([{ type: 'EffectDispatched', at: now, attempt: attemptsOf(state) + 1, token, effect, reconcilable, timeoutMs, subject, request }]);
}

function confirm(state: EffectState, command: Extract<EffectCommand, { type: 'Confirm' }>, { now }: DecideContext): EffectDecision {
  if (state.status === 'confirmed') return DUPLICATE;
  if (state.status === 'failed') {
    return { kind: 'rejected', rejection: rejection('effect-contradicted', `Expected an effect that was settled as failed (by ${state.by}) never to happen, but its receiver has confirmed it.`) };
  }
  if (state.status === 'none') return STALE;
  // Also from an earlier attempt, and late: whoever confirms knows, and the key is the same.
  return accepted([{ type: 'EffectConfirmed', at: now, by: 'answer', output: command.output, ...(command.unusable ? { unusable: command.unusable } : {}) }]);
}

function fail(state: EffectState, { token, failure }: Extract<EffectCommand, { type: 'Fail' }>, { now }: DecideContext): EffectDecision {
  if (state.status !== 'dispatched') return DUPLICATE;
  const { attempt } = state;
  if (attempt.token !== token) return STALE;
  // This attempt did not happen, but the one before may have.
  if (attempt.hasDoubt) return accepted([{ type: 'AnswerLost', at: now, failure }]);
  return accepted([{ type: 'EffectFailed', at: now, by: 'answer', failure }]);
}

function settle(state: EffectState, command: Extract<EffectCommand, { type: 'Settle' }>, context: DecideContext): EffectDecision {
  if (state.status === 'none') return { kind: 'rejected', rejection: rejection('unknown-effect', 'Expected an effect whose outcome is unknown but the ledger has no such effect.') };
  // A ledger that knows needs nobody's word.
  if (state.status === 'confirmed' || state.status === 'failed') return DUPLICATE;
  return accepted([settled(command.happened, 'person', command, context)]);
}

function settled(happened: boolean, by: 'reconcile' | 'person', told: Extract<EffectCommand, { type: 'Reconcile' | 'Settle' }>, { now }: DecideContext): EffectEvent {
  const person = told.type === 'Settle' ? { person: told.person } : {};
  if (happened) return { type: 'EffectConfirmed', at: now, by, ...person, output: told.output };
  const who = by === 'person' ? `${told.type === 'Settle' ? told.person : ''} says` : "the tool's reconcile hook says";
  return { type: 'EffectFailed', at: now, by, ...person, failure: rejection('effect-failed', `Expected the effect to have happened, but ${who} that it did not.`, { retryable: true }) };
}
