// Mistakes about effects: under which key they go out, when they go out again, and who may still send.
import { accepted } from '@weft/kernel';
import { attemptsOf, effectDecider, nextStep, type EffectState } from '@weft/tools/core';
import { jobOf } from '../src/job.js';
import type { PlantedBug } from './planted-bug.js';

/** Takes every effect whose outcome is unknown for one that may be repeated. */
const asIfRepeatable = (state: EffectState): EffectState => (state.status === 'unknown' ? { ...state, attempt: { ...state.attempt, effect: 'idempotent-write' } } : state);

export const EFFECT_BUGS: readonly PlantedBug[] = [
  { name: 'effect-without-key', mistake: 'the request leaves without its idempotency key', foundWithin: 5, wrong: { sentKey: () => '' } },
  { name: 'acts-without-asking', mistake: 'what needs an approval is done without one', foundWithin: 20, wrong: { mayAct: () => true } },
  {
    name: 'key-holds-the-attempt',
    mistake: 'every attempt of a job has a key of its own',
    foundWithin: 500,
    wrong: {
      jobOf: (state, job) => {
        const right = jobOf(state, job);
        return { ...right, key: `${right.key}/${job.attempt}` };
      },
    },
  },
  {
    name: 'unknown-effect-sent-again',
    mistake: 'a non-idempotent effect whose answer was lost is sent again',
    foundWithin: 100,
    wrong: {
      nextStep: (state, asking) => nextStep(asIfRepeatable(state), asking),
      effectDecider: {
        ...effectDecider,
        decide: (state, command, context) => {
          if (command.type !== 'Dispatch' || state.status !== 'unknown') return effectDecider.decide(state, command, context);
          const { type: _type, sent: _sent, ...dispatched } = command;
          return accepted([{ type: 'EffectDispatched', at: context.now, attempt: attemptsOf(state) + 1, ...dispatched }]);
        },
      },
    },
  },
  {
    name: 'refusal-proves-too-much',
    mistake: 'when a repeated attempt is refused, the effect counts as never done, although the attempt before may have done it',
    foundWithin: 1_000,
    wrong: {
      effectDecider: {
        ...effectDecider,
        decide: (state, command, context) =>
          command.type === 'Fail' && state.status === 'dispatched' && state.attempt.hasDoubt
            ? accepted([{ type: 'EffectFailed', at: context.now, by: 'answer', failure: command.failure }])
            : effectDecider.decide(state, command, context),
      },
    },
  },
  {
    name: 'zombie-sends-late',
    mistake: 'a process that was paused after it recorded a dispatch sends when it wakes, however late',
    foundWithin: 1_000,
    wrong: { leftMs: () => 2_000 },
  },
];
