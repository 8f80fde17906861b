// Events that start executions: `schedule.on`, compiled.
import type { Instant, Json, JsonObject } from '@weft/kernel';
import { canonicalJson } from '@weft/workflow';
import { ExpressionFailed, type Variables } from '../program/expression.js';
import { compileListening, type Listening } from '../program/listen.js';
import { correlationKeys, expectedOf, fits, type Evaluating, type ListeningAt } from '../signal/fits.js';

/** Which events a definition waits for before it starts. */
export interface Trigger {
  /** How many filters must have their event: of `one` and `any` each event that fits starts an execution. */
  readonly filters: number;
  readonly isAll: boolean;
  /** The filters that an event fits, with what correlates it: events of one execution have the same. */
  readonly match: (event: Json, now: Instant) => readonly Match[];
}

export interface Match {
  readonly filter: number;
  readonly correlation: string;
}

/** @param on what stands under `schedule.on`. */
export function compileTrigger(on: JsonObject): Trigger {
  const { to, filters } = compileListening({ to: on }, []);
  return {
    filters: filters.length,
    isAll: to === 'all',
    match: (event, now) => {
      const matches = filters.flatMap((filter, index) => matchOf(filter, index, event, now));
      return to === 'all' ? matches : matches.slice(0, 1);
    },
  };
}

function matchOf(filter: Listening['filters'][number], index: number, event: Json, now: Instant): readonly Match[] {
  const evaluating: Evaluating = { evaluate: (evaluate, input) => evaluate(input, NOTHING_IS_THERE, now) };
  try {
    const expected = expectedOf(evaluating, filter, NOWHERE);
    if (!fits(evaluating, filter, expected, { event }, NOWHERE)) return [];
    return [{ filter: index, correlation: canonicalJson(correlationKeys(evaluating, filter, { event }, NOWHERE) ?? {}) }];
  } catch (fault) {
    // What cannot be evaluated fits nothing: whoever sent the event is not to be bothered with it.
    if (fault instanceof ExpressionFailed) return [];
    throw fault;
  }
}

// No execution is there yet, and so none of its data.
const NOTHING_IS_THERE: Variables = { context: {}, input: null, output: null, task: null, workflow: null, runtime: null };
const NOWHERE = { taskInput: null, key: '' } as unknown as ListeningAt;
