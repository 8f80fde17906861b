// Extensions around a task, inside its activation: those that apply run in the order of their list, before it and after it.
import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Activation, ExecutionState } from '../execution/execution.state.js';
import type { Task, TaskBase } from '../program/program.js';
import type { Advance, Step } from './advance.js';

/** Where the extensions of an activation stand. */
export interface Extending {
  /** `around`: the task itself runs, and its `after` lists are still to come. */
  readonly phase: 'before' | 'around' | 'after';
  /** Those that apply, as positions among the task's extensions. */
  readonly applying: readonly number[];
  /** Which of them runs, as a position among those that apply. */
  readonly at: number;
  /** What the task has come to, while `after` lists run. */
  readonly output?: Json;
  readonly then?: string;
}

/** Whether the task list of an extension runs in an activation, rather than what its task is about. */
export const isInExtension = ({ extending }: Activation): boolean => extending !== undefined && extending.phase !== 'around';

/** Begins the first `before` list that applies. @returns 'none' when the task runs at once. */
export function beginExtensions(advance: Advance, task: Task, key: ActivationKey, input: Json): Step | 'none' {
  const extra = { task: extendedTask(task, input) };
  const applying = (task.extensions ?? []).flatMap(({ when }, index) => (!when || advance.evaluate(when, input, { task, key, taskInput: input, extra }) === true ? [index] : []));
  if (applying.length === 0) return 'none';
  return goOn(advance, task, key, { phase: 'before', applying, at: -1 });
}

/** Goes on when the list of an extension is at its end. */
export function nextExtension(advance: Advance, key: ActivationKey): Step {
  return goOn(advance, advance.taskOf(key), key, advance.activation(key).extending!);
}

/** `exit` in a `before` list: the task does not run, and its result is what the list has come to. */
export function skipExtended(advance: Advance, key: ActivationKey): Step {
  const { value } = advance.activation(key);
  advance.record({ type: 'ExtensionsEnded', key, isSkipped: true });
  return { go: 'complete', key, output: value };
}

/** What follows the task itself: its `after` lists, unless they have run. */
export function endExtended(advance: Advance, task: Task, key: ActivationKey, output: Json, then: string | undefined): Step | 'done' {
  const { extending } = advance.activation(key);
  if (extending?.phase !== 'around' || !extending.applying.some((index) => task.extensions![index]?.after)) return 'done';
  return goOn(advance, task, key, { ...extending, phase: 'after', at: -1, output, ...(then === undefined ? {} : { then }) });
}

function goOn(advance: Advance, task: Task, key: ActivationKey, from: Extending): Step {
  const phase = from.phase === 'after' ? 'after' : 'before';
  const at = from.applying.findIndex((index, position) => position > from.at && task.extensions![index]?.[phase]);
  if (at !== -1) {
    const isKnown = from.output === undefined || from.at !== -1 || from.output === advance.activation(key).value;
    advance.record({ type: 'ExtensionBegun', key, phase, applying: from.applying, at, ...(isKnown ? {} : { output: from.output! }), ...(from.then === undefined ? {} : { then: from.then }) });
    return { go: 'enter', scope: key, position: 0 };
  }
  advance.record({ type: 'ExtensionsEnded', key, ...(phase === 'before' ? { applying: from.applying } : {}) });
  if (phase === 'before') return { go: 'own', key };
  return { go: 'complete', key, output: from.output ?? null, ...(from.then === undefined ? {} : { then: from.then }) };
}

/** `$task`: of a task of an extension it is the one that the extension runs around. */
export function describedTask({ activations }: Pick<ExecutionState, 'activations'>, task: TaskBase, key: ActivationKey, input: Json): Json {
  const { extended } = task;
  if (!extended) return { name: task.name, reference: task.pointer, definition: task.definition, input };
  let around = activations[key];
  while (around && around.pointer !== extended.pointer) around = around.parent === undefined ? undefined : activations[around.parent];
  return extendedTask(extended, around?.input ?? null);
}

/** The fields of the task that an extension runs around, beside what describes any task. */
const extendedTask = ({ name, pointer, definition }: TaskBase, input: Json): Json => ({ ...(definition as object), name, reference: pointer, definition, input });
