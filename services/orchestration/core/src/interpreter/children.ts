// Executions that tasks start: which, and what becomes of the task when one has ended.
import { derivedUuid, isJsonObject, type Json } from '@weft/kernel';
import { childPlace, DEPTH_MAX, type ChildStatus, type OpenChild, type WorkflowName } from '../child/child.state.js';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import { inputInvalid, standardError, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';
import { isInExtension } from './extension.js';

export type RunWorkflowTask = Extract<Task, { kind: 'run-workflow' }>;

const LATEST = 'latest';

/** Starts the workflow. A task that does not wait for it goes on with its input. */
export function runWorkflow(advance: Advance, task: RunWorkflowTask, key: ActivationKey, input: Json): Step {
  const called = advance.evaluate(task.called, input, { task, key, taskInput: input });
  const workflow = workflowNameOf(called);
  if (!workflow) return { go: 'raise', key, error: inputInvalid(task, 'Expected `workflow` to have a `namespace`, a `name` and a `version` as texts.') };
  const tooDeep = depthProblem(advance, task);
  if (tooDeep) return { go: 'raise', key, error: tooDeep };
  const given = isJsonObject(called) ? (called['input'] ?? {}) : {};
  const child = childIdOf(advance, { key });
  advance.record({ type: 'ChildStarted', key, child, workflow, ...(task.isAwaited ? {} : { isAwaited: false }), input: given });
  return task.isAwaited ? undefined : { go: 'complete', key, output: input };
}

/** A workflow as it was evaluated; without a version the one deployed last is meant. */
export function workflowNameOf(given: Json | undefined): WorkflowName | undefined {
  if (!isJsonObject(given)) return undefined;
  const { namespace, name, version = LATEST } = given;
  return typeof namespace === 'string' && typeof name === 'string' && typeof version === 'string' ? { namespace, name, version } : undefined;
}

/** Workflows that start each other for ever end with an error. */
export function depthProblem({ state }: Advance, { pointer }: Pick<Task, 'pointer'>): WorkflowError | undefined {
  const { depth = 0 } = state.parent ?? {};
  return depth < DEPTH_MAX ? undefined : standardError('runtime', pointer, 'too-deep', `Expected workflows to run each other at most ${DEPTH_MAX} deep: does one of them run itself for ever?`);
}

/** The same for who decides again, and another one once a child of the same place has failed or was given up. */
export function childIdOf({ state }: Advance, of: Pick<OpenChild, 'key' | 'item'>): string {
  const place = childPlace(state, of);
  return derivedUuid(state.startedAt, `${place}/${state.generations[place] ?? 0}`);
}

/** Whether what a child gives is the output of its task: what is not wanted is not kept either. */
export function isOutputWanted(advance: Advance, { key }: OpenChild): boolean {
  const task = advance.taskOf(key);
  return task.kind !== 'run-workflow' || task.isReturned;
}

/** What follows from the end of a child. */
export function afterChild(advance: Advance, { key, item }: OpenChild, { status, error }: { readonly status: ChildStatus; readonly error?: Json }): Step {
  const task = advance.taskOf(key);
  const { map, value } = advance.activation(key);
  if (status !== 'completed' && map?.onError !== 'collect') return { go: 'raise', key, error: raisedBy(task, error ?? null) };
  if (map && item !== undefined) return { go: 'map', key };
  return { go: 'complete', key, output: value };
}

/** The error of a child at the task that started it: its type and words, and itself as the cause. */
function raisedBy({ pointer }: Pick<Task, 'pointer'>, error: Json): WorkflowError {
  if (!isJsonObject(error) || typeof error['type'] !== 'string')
    return standardError('runtime', pointer, 'child-failed', 'Expected the workflow to complete but it did not, and its error is not known.');
  const { type, status, title, detail } = error;
  return {
    type,
    status: typeof status === 'number' ? status : 500,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof detail === 'string' ? { detail } : {}),
    instance: pointer,
    causes: [error],
  };
}

/**
 * Steps that start children anew for activations that wait for some and have none: after a fault, and where an execution was forked.
 * @param except activations that have more to do than to wait.
 */
export function missingChildren({ state, program }: Advance, except: ReadonlySet<ActivationKey>): readonly Step[] {
  const waiting = new Set([...except, ...Object.values(state.children ?? {}).map(({ key }) => key)]);
  return Object.values(state.activations).flatMap((activation): readonly Step[] => {
    const { key, pointer } = activation;
    const kind = program.tasks.get(pointer)?.kind;
    // What runs around the task has not come to it, or is past it.
    if (waiting.has(key) || isInExtension(activation)) return [];
    return kind === 'run-workflow' ? [{ go: 'own', key }] : kind === 'map' ? [{ go: 'map', key }] : [];
  });
}
