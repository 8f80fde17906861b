// Branches that run at the same time: entering them, and what becomes of the fork when one has ended.
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import { errorJson, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, BranchStep, Step } from './advance.js';
import { isInExtension } from './extension.js';

export type ForkTask = Extract<Task, { kind: 'fork' }>;

/** Enters the first branch now and the others after it, all in this decision. */
export function enterBranches(advance: Advance, task: ForkTask, key: ActivationKey): Step {
  const steps = task.branches.map((_branch, branch): BranchStep => ({ go: 'branch', scope: key, branch }));
  advance.later(steps.slice(1));
  return steps[0];
}

/**
 * Branches of forks that go on that were never entered: a decision that was cut short between them leaves some.
 * @param except activations that have steps to take: such a fork has its branches behind it, or enters them by its step.
 */
export function unenteredBranches(advance: Advance, except: ReadonlySet<ActivationKey> = new Set()): readonly BranchStep[] {
  const { activations, branches } = advance.state;
  const live = new Set(Object.values(activations).flatMap(({ parent, branch }) => (branch === undefined ? [] : [`${parent}\n${branch}`])));
  return Object.values(activations).flatMap((activation): readonly BranchStep[] => {
    const { key, pointer } = activation;
    const task = advance.program.tasks.get(pointer);
    if (task?.kind !== 'fork' || except.has(key) || isInExtension(activation)) return [];
    return task.branches.flatMap((_branch, branch) => (live.has(`${key}\n${branch}`) || branches[`${key}\n${branch}`] ? [] : [{ go: 'branch' as const, scope: key, branch }]));
  });
}

/**
 * A branch has ended. The fork has its output when all have, or, of competing ones, when one has succeeded; a skipped branch does
 * not compete. When all competing branches failed, the fork raises the last error with the others as its causes.
 */
export function branchEnded(advance: Advance, key: ActivationKey, succeeded?: number): Step {
  const task = advance.taskOf(key) as ForkTask;
  const isLast = (advance.activation(key).branchesEnded ?? 0) >= task.branches.length;
  if (!task.isCompeting) return isLast ? join(advance, key) : undefined;
  if (succeeded !== undefined) return join(advance, key, succeeded);
  if (!isLast) return undefined;
  const errors = Object.values(advance.state.branches).flatMap((branch) => (branch.key === key && branch.error !== undefined ? [branch.error] : []));
  const last = errors.at(-1);
  if (last === undefined) return join(advance, key, 0);
  return { go: 'raise', key, error: { ...(last as unknown as WorkflowError), causes: errors.slice(0, -1) } };
}

/** A competing branch has failed: the others go on. */
export function failBranch(advance: Advance, key: ActivationKey, branch: number, error: WorkflowError): Step {
  advance.record({ type: 'BranchFailed', key, branch, errorType: error.type, error: errorJson(error) });
  return branchEnded(advance, key);
}

function join(advance: Advance, key: ActivationKey, winner?: number): Step {
  advance.record({ type: 'BranchesJoined', key, ...(winner === undefined ? {} : { winner }) });
  return { go: 'complete', key, output: advance.activation(key).value };
}
