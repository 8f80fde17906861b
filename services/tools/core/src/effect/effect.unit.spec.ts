import { FIXED_NOW, given, seededRandom } from '@weft/testkit';
import { rejection } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import type { EffectCommand } from './effect.commands.js';
import { ABANDONED, effectDecider } from './effect.decide.js';
import type { EffectEvent, WriteClass } from './effect.events.js';
import { ATTEMPT_GRACE_MS, type EffectState } from './effect.state.js';
import { nextStep, SENDS_PER_JOB_MAX } from './effect.step.js';

const now = FIXED_NOW;
const TIMEOUT = 2_000;
const subject = { executionId: 'e', pointer: '/do/0/send', iteration: '', generation: 0, tool: 'send' };
const OVER = TIMEOUT + ATTEMPT_GRACE_MS;
const lost = rejection('effect-unknown', 'Expected an answer but the connection was cut.', { retryable: true });
const refused = rejection('unreachable', 'Expected a connection but it was refused.', { retryable: true });

const dispatch = (token: string, effect: WriteClass = 'non-idempotent-write', more: { sent?: number; reconcilable?: boolean } = {}) =>
  ({ type: 'Dispatch', token, effect, reconcilable: more.reconcilable ?? false, timeoutMs: TIMEOUT, sent: more.sent ?? 0, subject, request: { to: 'x' } }) as const;
const dispatched = (token: string, effect: WriteClass = 'non-idempotent-write', more: { attempt?: number; reconcilable?: boolean; at?: number } = {}): EffectEvent => ({
  type: 'EffectDispatched',
  at: more.at ?? now,
  attempt: more.attempt ?? 1,
  token,
  effect,
  reconcilable: more.reconcilable ?? false,
  timeoutMs: TIMEOUT,
  subject,
  request: { to: 'x' },
});
const confirmed: EffectEvent = { type: 'EffectConfirmed', at: now, by: 'answer', output: { receipt: 1 } };
const failed: EffectEvent = { type: 'EffectFailed', at: now, by: 'answer', failure: refused };
const answerLost: EffectEvent = { type: 'AnswerLost', at: now, failure: lost };
const past = (...events: EffectEvent[]) => given(effectDecider, ...events);
const fold = (...events: EffectEvent[]): EffectState => events.reduce(effectDecider.evolve, effectDecider.initial);

describe('Dispatch', () => {
  it('records intent and dispatch in one event', () => {
    past()
      .when(dispatch('a'))
      .then([dispatched('a')]);
  });

  it('is a duplicate once the effect is confirmed: the ledger answers and nothing is sent', () => {
    past(dispatched('a'), confirmed).when(dispatch('b')).thenIgnored('duplicate');
    expect(nextStep(fold(dispatched('a'), confirmed), { now, token: 'b', sent: 0 })).toEqual({ do: 'complete', output: { receipt: 1 } });
  });

  it('is a duplicate once the effect is settled as failed: the failure is reported again', () => {
    past(dispatched('a'), failed).when(dispatch('b')).thenIgnored('duplicate');
    expect(nextStep(fold(dispatched('a'), failed), { now, token: 'b', sent: 0 })).toEqual({ do: 'fail', failure: refused });
  });

  it('waits while another attempt may still run, by the time of the store', () => {
    past(dispatched('a'))
      .when(dispatch('b'), { now: now + OVER - 1 })
      .thenIgnored('duplicate');
    expect(nextStep(fold(dispatched('a')), { now: now + OVER - 1, token: 'b', sent: 0 })).toEqual({ do: 'wait', until: now + OVER });
  });

  it('lets whoever recorded the dispatch send, and nobody else', () => {
    expect(nextStep(fold(dispatched('a')), { now, token: 'a', sent: 0 })).toEqual({ do: 'send' });
  });

  it('sends an abandoned idempotent write again', () => {
    past(dispatched('a', 'idempotent-write'))
      .when(dispatch('b', 'idempotent-write'), { now: now + OVER })
      .then([dispatched('b', 'idempotent-write', { attempt: 2, at: now + OVER })]);
  });

  it('never sends an abandoned non-idempotent write again: its answer is lost', () => {
    past(dispatched('a'))
      .when(dispatch('b'), { now: now + OVER })
      .then([{ type: 'AnswerLost', at: now + OVER, failure: ABANDONED }]);
  });
});

describe('an unknown outcome', () => {
  it('of a non-idempotent write without a hook goes to a person', () => {
    expect(nextStep(fold(dispatched('a'), answerLost), { now, token: 'b', sent: 1 })).toEqual({ do: 'askPerson', failure: lost });
  });

  it('of a non-idempotent write with a hook is reconciled, but not before the attempt is over', () => {
    const state = fold(dispatched('a', 'non-idempotent-write', { reconcilable: true }), answerLost);
    expect(nextStep(state, { now, token: 'b', sent: 1 })).toEqual({ do: 'wait', until: now + OVER });
    expect(nextStep(state, { now: now + OVER, token: 'b', sent: 1 })).toEqual({ do: 'reconcile' });
  });

  it('of an idempotent write is sent again after a pause, a few times in one job', () => {
    const state = fold(dispatched('a', 'idempotent-write'), answerLost);
    expect(nextStep(state, { now, token: 'b', sent: 1 })).toEqual({ do: 'wait', until: now + 200 });
    expect(nextStep(state, { now: now + 200, token: 'b', sent: 1 })).toEqual({ do: 'dispatch' });
    expect(nextStep(state, { now: now + 60_000, token: 'b', sent: SENDS_PER_JOB_MAX })).toEqual({ do: 'giveUp', failure: lost });
  });

  it('of an idempotent write is sent again at once by the next job with the same key', () => {
    expect(nextStep(fold(dispatched('a', 'idempotent-write'), answerLost), { now, token: 'b', sent: 0 })).toEqual({ do: 'dispatch' });
  });

  it('becomes known by the hook', () => {
    const events = [dispatched('a'), answerLost];
    past(...events)
      .when({ type: 'Reconcile', happened: true, output: 7 })
      .then([{ type: 'EffectConfirmed', at: now, by: 'reconcile', output: 7 }]);
    past(...events, confirmed)
      .when({ type: 'Reconcile', happened: false, output: null })
      .thenIgnored('duplicate');
  });

  it('becomes known by a person, whose name is recorded', () => {
    past(dispatched('a'), answerLost)
      .when({ type: 'Settle', happened: true, output: null, person: 'ada' })
      .then([{ type: 'EffectConfirmed', at: now, by: 'person', person: 'ada', output: null }]);
    past(dispatched('a'), confirmed).when({ type: 'Settle', happened: false, output: null, person: 'ada' }).thenIgnored('duplicate');
  });

  it("is nobody's to settle when the ledger does not know the effect", () => {
    past().when({ type: 'Settle', happened: true, output: null, person: 'ada' }).thenRejected('unknown-effect');
  });

  it('becomes known by a late answer', () => {
    past(dispatched('a'), answerLost)
      .when({ type: 'Confirm', token: 'a', output: 1 })
      .then([{ type: 'EffectConfirmed', at: now, by: 'answer', output: 1 }]);
  });
});

describe('Fail', () => {
  it('settles the first attempt as failed', () => {
    past(dispatched('a')).when({ type: 'Fail', token: 'a', failure: refused }).then([failed]);
  });

  it('proves nothing when an earlier attempt may have happened', () => {
    past(dispatched('a', 'idempotent-write'), answerLost, dispatched('b', 'idempotent-write', { attempt: 2 }))
      .when({ type: 'Fail', token: 'b', failure: refused })
      .then([{ type: 'AnswerLost', at: now, failure: refused }]);
  });

  it('of an attempt that another has replaced is stale', () => {
    past(dispatched('a', 'idempotent-write'), dispatched('b', 'idempotent-write', { attempt: 2 }))
      .when({ type: 'Fail', token: 'a', failure: refused })
      .thenIgnored('stale');
  });
});

describe('Confirm', () => {
  it('counts from any attempt, for the key is the same', () => {
    past(dispatched('a', 'idempotent-write'), dispatched('b', 'idempotent-write', { attempt: 2 }))
      .when({ type: 'Confirm', token: 'a', output: { receipt: 1 } })
      .then([confirmed]);
  });

  it('contradicts an effect that was settled as failed', () => {
    past(dispatched('a'), failed).when({ type: 'Confirm', token: 'a', output: 1 }).thenRejected('effect-contradicted');
  });
});

describe('the ledger under crashes, lost answers and rivals', () => {
  it('lets a non-idempotent write be sent at most once for a key, whatever happens', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      let state = effectDecider.initial;
      let time = now;
      const sentBy = new Set<string>();
      for (let turn = 0; turn < 40; turn++) {
        time += Math.floor(random.next() * OVER * 0.7);
        const token = `t${Math.floor(random.next() * 6)}`;
        const command = pick(random.next(), token);
        const decision = effectDecider.decide(state, command, { now: time, idOf: String });
        if (decision.kind === 'accepted') state = decision.events.reduce(effectDecider.evolve, state);
        if (command.type === 'Dispatch' && nextStep(state, { now: time, token, sent: 0 }).do === 'send') sentBy.add(token);
      }
      expect(sentBy.size, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  });
});

function pick(draw: number, token: string): EffectCommand {
  if (draw < 0.5) return dispatch(token, 'non-idempotent-write', { reconcilable: true });
  if (draw < 0.6) return { type: 'Confirm', token, output: 1 };
  if (draw < 0.75) return { type: 'LoseAnswer', token, failure: lost };
  if (draw < 0.9) return { type: 'Fail', token, failure: refused };
  return { type: 'Reconcile', happened: draw < 0.95, output: null };
}
