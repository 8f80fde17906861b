// A saga: steps that are undone, the last one first, when a later one fails or the execution is cancelled.
import { attempt, raise, sequence } from './control.js';
import { BuilderError } from './expression.js';
import { field, variable, type Ref, type Unknown } from './handles.js';
import { add, literal, orElse } from './operators.js';
import { standardTask, type Task, type TaskOptions, type TaskPairs, type TaskWith } from './task.js';
import { jqText } from './template.js';

/** A step and what undoes it. The last step needs no undoing: nothing of the saga can fail after it. */
export interface SagaStep {
  readonly do: Task;
  /** Given a handle on what the step gave. */
  readonly undo?: Task | ((done: Ref<Unknown>) => Task);
}

export interface SagaOptions extends TaskOptions {
  /** Whether a cancel undoes too, before the execution ends. Default true. */
  readonly onCancel?: boolean;
  /** Status of the error that is raised again once all is undone. Default 500: the standard wants a number there. */
  readonly status?: number;
}

/** Source: docs/operations.md. */
const CANCELLED = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';

/**
 * Steps one after the other, as nested `try` tasks. Each step exports what it gave to `$context` under its name, where what undoes it finds it.
 * When a step fails, those before it are undone in turn, and the error is raised again with its type, title and detail.
 * @throws BuilderError without steps, or for a step that exports something itself.
 */
export function saga<const O extends SagaOptions = object>(steps: { readonly [name: string]: SagaStep }, options?: O): TaskWith<O> {
  const { onCancel = true, status = 500, ...rest } = (options ?? {}) as SagaOptions;
  const named = Object.entries(steps);
  if (named.length === 0) throw new BuilderError('Expected at least one step in a saga but it has none.');
  return sequence(stepsFrom(named, { onCancel, status }), rest as O) as TaskWith<O>;
}

interface Undoing {
  readonly onCancel: boolean;
  readonly status: number;
}

function stepsFrom([first, ...others]: readonly (readonly [string, SagaStep])[], undoing: Undoing): TaskPairs {
  const [name, step] = first!;
  const done: TaskPairs[number] = [name, remembering(name, step.do)];
  if (others.length === 0) return [done];
  const following = stepsFrom(others, undoing);
  return [done, ...(step.undo === undefined ? following : [[`after-${name}`, guarded(following, undoOf(name, step), undoing)] as const])];
}

const undoOf = (name: string, { undo }: SagaStep): TaskPairs[number] => [`undo-${name}`, typeof undo === 'function' ? undo(field(variable('context'), name)) : undo!];

function guarded(tasks: TaskPairs, undo: TaskPairs[number], { onCancel, status }: Undoing): Task {
  const again = raise({ type: jqText('$error.type'), status, title: orElse(jqText<string>('$error.title'), ''), detail: orElse(jqText<string>('$error.detail'), '') });
  const failing = attempt(tasks, { do: [undo, ['raise-again', again]] });
  // A cancel is caught only where it is named, and goes on by itself.
  return onCancel ? attempt([['steps', failing]], { errors: { with: { type: CANCELLED } }, do: [undo] }) : failing;
}

function remembering(name: string, task: Task): Task {
  if ('export' in task.definition) throw new BuilderError(`Expected the step \`${name}\` to export nothing, as the saga exports what it gave, but it has an \`export\`.`);
  return standardTask({ ...task.definition, export: { as: add(literal(jqText('$context')), literal({ [name]: jqText('.') })) } });
}
