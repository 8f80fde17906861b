import { rejection, type DecideContext, type Rejection } from '@weft/kernel';
import { Advance, keyOf } from '../../interpreter/advance.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import { subscribeAlso } from '../../interpreter/subscribe.js';
import type { Program } from '../../program/program.js';
import { placeOf } from '../../upgrade/list-place.js';
import { completeMap, follow, isSameKind, type PointerMap } from '../../upgrade/pointer-map.js';
import { upgradeProblems } from '../../upgrade/upgrade-check.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { ExecutionEvent } from '../execution.events.js';
import type { ExecutionState } from '../execution.state.js';

/**
 * Takes an execution over to another version of its definition: what it is in is found there again, and what it has done stays done,
 * under the idempotency keys that it had. Rejections: `operation-not-possible`, `cannot-resume` with all that keeps it from going on.
 */
export function migrateExecution(state: ExecutionState, command: CommandOf<'MigrateExecution'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const { to, map, id, by, reason } = command;
  if (state.definition.digest === to.digest || (state.operations && Object.hasOwn(state.operations, id))) return { kind: 'ignored', reason: 'duplicate' };
  const ended = migrationProblem(state);
  if (ended) return { kind: 'rejected', rejection: ended };
  const [old, now] = [programs(state.definition.digest), programs(to.digest)];
  const problems = upgradeProblems(state, old, now, map);
  if (problems.length > 0) {
    const said = problems.slice(0, PROBLEMS_SAID_MAX).map(({ message }) => message);
    return { kind: 'rejected', rejection: rejection('cannot-resume', said.join(' '), { details: { problems: problems.map((problem) => ({ ...problem })) } }) };
  }
  const advance = new Advance(state, now, context);
  advance.record({ type: 'DefinitionMigrated', operation: id, at: context.now, by, ...(reason === '' ? {} : { reason }), from: state.definition, to, ...moved(state, old, now, map) });
  if (state.status === 'running') advance.later(unenteredBranches(advance, new Set(advance.state.held?.map(keyOf))));
  subscribeAlso(advance, old);
  return advance.finish();
}

const PROBLEMS_SAID_MAX = 3;

/** `operation-not-possible` for an execution that is over, or on its way there. */
export function migrationProblem({ status, cancelling }: ExecutionState): Rejection | undefined {
  if ((status === 'running' || status === 'suspended' || status === 'faulted') && cancelling === undefined) return undefined;
  return rejection('operation-not-possible', `Expected an execution that goes on or faulted to migrate it but this one is ${cancelling ? 'being cancelled' : status}.`, { details: { status } });
}

type Migrated = Extract<ExecutionEvent, { type: 'DefinitionMigrated' }>;
type Moved = Pick<Migrated, 'pointers' | 'branches' | 'held' | 'failedAt' | 'origins'>;

/** What folding needs to know of the two versions: it has neither. */
function moved(state: ExecutionState, from: Program, to: Program, map: PointerMap): Moved {
  // Nobody has to name what has been done to keep it done.
  const at = follow(from, completeMap(from, to, map));
  const pairs = [...from.tasks.values()].flatMap((task) => {
    const now = to.tasks.get(at(task.pointer));
    return now && isSameKind(task, now) ? [[task.pointer, now.pointer] as const] : [];
  });
  const { activations } = { ...state, ...state.interrupted };
  const named = new Set(Object.values(activations).flatMap(({ pointer, visits }) => [pointer, ...Object.keys(visits)]));
  const pointers = pairs.filter(([pointer, now]) => pointer !== now && named.has(pointer));
  return { pointers: Object.fromEntries(pointers), ...branchesOf(state, from, to, at), ...placesOf(state, from, to, at), ...originsOf(state, from, to, pairs) };
}

/** Of forks that go on, where each branch is now. */
function branchesOf(state: ExecutionState, from: Program, to: Program, at: (pointer: string) => string): Pick<Moved, 'branches'> {
  const { activations } = { ...state, ...state.interrupted };
  const branches: Record<string, readonly number[]> = {};
  for (const { key, pointer } of Object.values(activations)) {
    const [task, now] = [from.tasks.get(pointer), to.tasks.get(at(pointer))];
    if (task?.kind === 'fork' && now?.kind === 'fork') branches[key] = task.branches.map((branch) => now.branches.findIndex((each) => each.pointer === at(branch.pointer)));
  }
  const isChanged = Object.values(branches).some((list) => list.some((now, before) => now !== before));
  return isChanged ? { branches } : {};
}

/** Of steps that enter a task by its place in a list, where that is now. */
function placesOf(state: ExecutionState, from: Program, to: Program, at: (pointer: string) => string): Pick<Moved, 'held' | 'failedAt'> {
  const { held = [], interrupted } = state;
  const activations = { ...state.activations, ...interrupted?.activations };
  const place = (key: string, position: number): number => {
    const activation = activations[key];
    return (activation && from.tasks.get(activation.pointer)?.kind !== 'fork' ? placeOf(from, to, at, activation, position) : undefined) ?? position;
  };
  const places = held.flatMap((step, index) => (step.go === 'enter' && step.position > 0 ? [[index, step.position, place(step.scope, step.position)] as const] : []));
  const changed = places.filter(([, before, now]) => before !== now);
  const { key, position } = interrupted?.task ?? {};
  const failedAt = key === undefined || position === undefined ? undefined : place(key, position);
  return { ...(changed.length > 0 ? { held: Object.fromEntries(changed.map(([index, , now]) => [index, now])) } : {}), ...(failedAt === position || failedAt === undefined ? {} : { failedAt }) };
}

/** The names that tasks do their effects under: those that they had at first, and never one that another task has had. */
function originsOf(state: ExecutionState, from: Program, to: Program, pairs: readonly (readonly [string, string])[]): Pick<Moved, 'origins'> {
  const before = state.origins ?? {};
  const origin = (pointer: string): string => before[pointer] ?? pointer;
  const taken = new Set([...from.tasks.keys()].map(origin));
  const known = new Map(pairs.map(([pointer, now]) => [now, origin(pointer)]));
  const origins = [...to.tasks.keys()].flatMap((pointer) => {
    const own = known.get(pointer) ?? (taken.has(pointer) ? `${pointer}@${state.entered}` : pointer);
    return own === pointer ? [] : [[pointer, own] as const];
  });
  return origins.length === 0 ? {} : { origins: Object.fromEntries(origins) };
}
