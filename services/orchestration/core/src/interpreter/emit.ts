// An event that a workflow emits: a whole CloudEvent, with what its author left out.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import { inputInvalid, standardError } from '../program/workflow-error.js';
import { WHOLE_EVENTS } from '../upgrade/engine-flags.js';
import type { Advance, Step } from './advance.js';

export type EmitTask = Extract<Task, { kind: 'emit' }>;

/**
 * How many executions may follow each other, each heard by the next, from one event that came from outside: two workflows that emit to
 * each other end with an error instead of never.
 */
export const HOPS_MAX = 1_000;

/** Emits the event and gives it as the task's output, as it is published. */
export function emit(advance: Advance, task: EmitTask, key: ActivationKey, input: Json): Step {
  const given = advance.evaluate(task.event, input, { task, key, taskInput: input });
  const emission = `${advance.state.executionId}${key}`;
  const event = advance.has(WHOLE_EVENTS) ? wholeEvent(advance, given, emission) : given;
  const problem = advance.has(WHOLE_EVENTS) ? problemOf(event) : undefined;
  if (problem !== undefined) return { go: 'raise', key, error: inputInvalid(task, problem) };
  const { hops = 0 } = advance.state;
  if (hops >= HOPS_MAX)
    return {
      go: 'raise',
      key,
      error: standardError(
        'runtime',
        task.pointer,
        'too-many-hops',
        `Expected at most ${HOPS_MAX} events to follow from one that came from outside but this would be one more: do workflows listen to what they emit?`,
      ),
    };
  advance.record({ type: 'EventEmitted', key, emission, event });
  return { go: 'complete', key, output: event };
}

/** Left out, an id is that of the activation: emitted again by a retried `try` it is the same event. */
function wholeEvent({ context, program }: Advance, given: Json, emission: string): Json {
  const fields = Object.entries(isJsonObject(given) ? given : {}).filter(([name, value]) => name === 'data' || value !== null);
  const source = `/workflows/${program.namespace}/${program.name}`;
  return { specversion: '1.0', id: emission, source, time: new Date(context.now).toISOString(), ...Object.fromEntries(fields) };
}

const TEXTS = ['id', 'source', 'type'] as const;

function problemOf(event: Json): string | undefined {
  const fields = event as JsonObject;
  const empty = TEXTS.find((name) => typeof fields[name] !== 'string' || fields[name] === '');
  if (empty !== undefined) return `Expected the ${empty} of an emitted event to be a text but found ${JSON.stringify(fields[empty] ?? null).slice(0, 100)}.`;
  const odd = Object.entries(fields).find(([name, value]) => name !== 'data' && typeof value === 'object');
  return odd && `Expected the attribute ${odd[0]} of an emitted event to be a text, a number or a boolean but found ${JSON.stringify(odd[1]).slice(0, 100)}: put it into \`data\`.`;
}
