import { deepStrictEqual } from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import { fold, type DecideContext, type Decider, type Decision } from '@weft/kernel';
import { FIXED_NOW } from './fixed-clock.js';

/** A decider with its past: ready to be asked. */
export interface Given<C, E, X> {
  /** Decides a command. The context defaults to `FIXED_NOW` and ids `id-0`, `id-1` ... */
  readonly when: (command: C, context?: Partial<DecideContext>) => When<E, X>;
}

/** A decision to be judged. Each method throws an `AssertionError` with a diff. */
export interface When<E, X> {
  /** Accepted with exactly these events and, when given, exactly these effects. */
  readonly then: (events: readonly E[], effects?: readonly X[]) => void;
  /** Refused with this code. */
  readonly thenRejected: (code: string) => void;
  /** Ignored, for this reason. */
  readonly thenIgnored: (reason: 'duplicate' | 'stale') => void;
}

/**
 * Starts a test of a decider from the events of its past: `given(decider, ...past).when(command).then(events, effects)`.
 * Every command is decided twice: a decider that answers differently the second time changes its state or reads something that is not data.
 */
export function given<S, C, E, X>(decider: Decider<S, C, E, X>, ...past: readonly E[]): Given<C, E, X> {
  const state = fold(decider, decider.initial, past);
  return {
    when: (command, context) => {
      const full: DecideContext = { now: FIXED_NOW, idOf: (ordinal) => `id-${ordinal}`, ...context };
      const decision = decider.decide(state, command, full);
      const again = decider.decide(state, command, full);
      if (!isDeepStrictEqual(decision, again)) {
        deepStrictEqual(again, decision, `Expected the same decision for the same state and command, but got first ${show(decision)} and then ${show(again)}`);
      }
      return judged(decision);
    },
  };
}

function judged<E, X>(decision: Decision<E, X, unknown>): When<E, X> {
  return {
    // An accidental `await` of this object does not compile: TypeScript refuses a `then` that is no promise's.
    // oxlint-disable-next-line unicorn/no-thenable
    then: (events, effects) => {
      const wanted = { kind: 'accepted', events, ...(effects && { effects }) };
      const got = decision.kind === 'accepted' ? { kind: decision.kind, events: decision.events, ...(effects && { effects: decision.effects }) } : decision;
      deepStrictEqual(got, wanted);
    },
    thenRejected: (code) => {
      if (decision.kind === 'rejected' && decision.rejection.code === code) return;
      deepStrictEqual(outcomeOf(decision), `rejected: ${code}`, `Expected a rejection ${code}, but got ${show(decision)}`);
    },
    thenIgnored: (reason) => {
      if (decision.kind === 'ignored' && decision.reason === reason) return;
      deepStrictEqual(outcomeOf(decision), `ignored: ${reason}`, `Expected the command to be ignored as ${reason}, but got ${show(decision)}`);
    },
  };
}

function outcomeOf<E, X>(decision: Decision<E, X, unknown>): string {
  if (decision.kind === 'rejected') return `rejected: ${decision.rejection.code}`;
  return decision.kind === 'ignored' ? `ignored: ${decision.reason}` : 'accepted';
}

const show = (value: unknown): string => inspect(value, { depth: 8, breakLength: 120, sorted: true });
