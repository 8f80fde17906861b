// Whether an execution, as its history folds it, could go on under another version of its definition.
import { isJsonObject, type Json } from '@weft/kernel';
import { canonicalJson, FLOW_DIRECTIVES } from '@weft/workflow';
import { ERASED } from '../execution/event.codec.js';
import { ROOT, type Activation, type ExecutionState } from '../execution/execution.state.js';
import { scopeIn } from '../interpreter/scope-in.js';
import { EvaluationFailed } from '../program/evaluation-failed.js';
import type { Program, Task } from '../program/program.js';
import { placeOf } from './list-place.js';
import { completeMap, follow, isNowhere, isSameKind, listAt, listOf, type PointerMap } from './pointer-map.js';

/** Why an execution cannot go on. */
export type Hindrance =
  | 'task-missing'
  | 'task-moved'
  | 'kind-changed'
  | 'call-changed'
  | 'branches-changed'
  | 'events-changed'
  | 'extensions-changed'
  | 'input-refused'
  | 'then-missing'
  | 'catch-missing'
  | 'step-held'
  | 'map-invalid';

export interface UpgradeProblem {
  readonly reason: Hindrance;
  /** Pointer of the task in the version that the execution is pinned to; '' = the workflow itself. */
  readonly pointer: string;
  readonly message: string;
}

interface Versions {
  readonly from: Program;
  readonly to: Program;
  readonly at: (pointer: string) => string;
  /** Also those that nobody has to name, as they are found by their names. */
  readonly certain: (pointer: string) => string;
}

/** What keeps an execution from going on under another version; nothing when it could. What it has left behind, and what is ahead of it, do not matter. */
export function upgradeProblems(state: ExecutionState, from: Program, to: Program, map: PointerMap = {}): readonly UpgradeProblem[] {
  const versions: Versions = { from, to, at: follow(from, map), certain: follow(from, completeMap(from, to, map)) };
  const { activations, listens } = { ...state, ...state.interrupted };
  const live = Object.values(activations).filter(({ key }) => key !== ROOT);
  return [
    ...mapProblems(from, to, map),
    ...inputProblems(state, to),
    ...live.flatMap((activation) => taskProblems(versions, activation, { ...state, ...state.interrupted })),
    ...[...new Set(Object.values(listens).map(({ key }) => activations[key]?.pointer ?? ''))].flatMap((pointer) => listenProblems(versions, pointer)),
    ...heldProblems(versions, state),
    ...failedProblems(versions, state),
  ];
}

function mapProblems({ tasks }: Program, to: Program, map: PointerMap): readonly UpgradeProblem[] {
  const targets = new Map<string, string>();
  return Object.entries(map).flatMap(([pointer, target]): UpgradeProblem[] => {
    const rival = targets.get(target);
    targets.set(target, pointer);
    const problem = (message: string): UpgradeProblem[] => [{ reason: 'map-invalid', pointer, message }];
    if (!tasks.has(pointer)) return problem(`Expected the map to name tasks of the version that the execution is pinned to but it has no ${pointer}.`);
    if (!to.tasks.has(target)) return problem(`Expected the map to lead to tasks of version ${to.version} but it has no ${target}.`);
    return rival === undefined ? [] : problem(`Expected each task of version ${to.version} once in the map but both ${rival} and ${pointer} lead to ${target}.`);
  });
}

function inputProblems({ input }: ExecutionState, to: Program): readonly UpgradeProblem[] {
  const problem = isErased(input) ? undefined : to.inputProblem?.(input);
  return problem === undefined ? [] : [{ reason: 'input-refused', pointer: '', message: `Expected an input that the schema of version ${to.version} takes but: ${problem}` }];
}

function taskProblems(versions: Versions, activation: Activation, state: Pick<ExecutionState, 'activations' | 'branches' | 'jobs'>): readonly UpgradeProblem[] {
  const { from, to, at } = versions;
  const { pointer } = activation;
  const task = from.tasks.get(pointer);
  if (!task) return [];
  const now = to.tasks.get(at(pointer));
  // A call of an agent is where the agent is.
  if (activation.step) return [];
  const problem = (reason: Hindrance, message: string): UpgradeProblem[] => [{ reason, pointer, message }];
  if (isNowhere(at(pointer))) return problem('map-invalid', `Expected the map to say where ${pointer} is, as the execution is in it, but another task is put in its place.`);
  if (!now || listOf(now.pointer) !== listAt(from, at, pointer)) return [missing(versions, task)];
  if (!isSameKind(task, now)) return problem('kind-changed', `Expected ${now.pointer} to be ${kindOf(task)} still, as the execution is in it, but it is ${kindOf(now)}.`);
  if (activation.caught !== undefined && task.kind === 'try' && task.catch.do && now.kind === 'try' && !now.catch.do)
    return problem('catch-missing', `Expected ${now.pointer} to have a \`catch.do\` still, as the execution is in it, but it has none.`);
  const called = calledTool(task);
  if (called !== calledTool(now) && Object.values(state.jobs).some(({ key }) => key === activation.key))
    return problem('call-changed', `Expected ${now.pointer} to call ${called} still, as such a call is under way, but it calls ${calledTool(now)}.`);
  return [...branchProblems(versions, activation, task, now, state), ...extensionProblems(activation, task, now), ...schemaProblems(now, activation)];
}

/** Says where the task is by its name, if it is there at all. */
function missing({ from, to, at }: Versions, { pointer, name }: Task): UpgradeProblem {
  const list = listAt(from, at, pointer);
  const found = [...to.tasks.values()].filter((task) => task.name === name);
  const near = found.find((task) => listOf(task.pointer) === list) ?? found[0];
  if (near)
    return { reason: 'task-moved', pointer, message: `Expected task ${JSON.stringify(name)} at ${at(pointer)}, as the execution is in it, but in version ${to.version} it is at ${near.pointer}.` };
  return { reason: 'task-missing', pointer, message: `Expected a task ${JSON.stringify(name)} at ${at(pointer)}, as the execution is in it, but version ${to.version} has none of that name.` };
}

const kindOf = (task: Task): string => (task.kind === 'job' ? `a call of ${task.job}` : `\`${task.kind}\``);

/** The tool that a call names as it stands, beyond its kind. */
function calledTool({ definition }: Task): string | undefined {
  const given = isJsonObject(definition) && definition['call'] === 'tool' ? definition['with'] : undefined;
  const name = isJsonObject(given) ? given['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** Branches that have ended are part of the fork's output, so they have to be there still. */
function branchProblems({ at }: Versions, { key, pointer }: Activation, task: Task, now: Task, { branches }: Pick<ExecutionState, 'branches'>): readonly UpgradeProblem[] {
  if (task.kind !== 'fork' || now.kind !== 'fork') return [];
  const problem = (message: string): UpgradeProblem[] => [{ reason: 'branches-changed', pointer, message }];
  if (task.isCompeting !== now.isCompeting)
    return problem(`Expected the branches of ${now.pointer} to ${task.isCompeting ? 'compete' : 'be joined'} still, as they run, but they ${now.isCompeting ? 'compete' : 'are joined'}.`);
  const there = new Set(now.branches.map((branch) => branch.pointer));
  return Object.values(branches).flatMap((ended) => {
    const branch = ended.key === key ? task.branches[ended.branch] : undefined;
    return branch && !there.has(at(branch.pointer))
      ? problem(`Expected branch ${JSON.stringify(branch.name)} at ${at(branch.pointer)}, as it has ended and its output counts, but it is not there.`)
      : [];
  });
}

/** Those that apply are known by their places, the one that runs among them. */
function extensionProblems({ extending, pointer }: Activation, task: Task, now: Task): readonly UpgradeProblem[] {
  if (!extending) return [];
  const { applying, at: current, phase } = extending;
  const isChanged = applying.some((index, position) => {
    const other = now.extensions?.[index];
    return other ? other.name !== task.extensions?.[index]?.name : phase !== 'around' && position === current;
  });
  return isChanged
    ? [{ reason: 'extensions-changed', pointer, message: `Expected the extensions around ${now.pointer} in their order still, as they run around the task, but it is another one.` }]
    : [];
}

function schemaProblems({ inputCheck, pointer }: Task, { rawInput, pointer: before }: Activation): readonly UpgradeProblem[] {
  if (isErased(rawInput)) return [];
  try {
    inputCheck?.(rawInput);
    return [];
  } catch (fault) {
    if (!(fault instanceof EvaluationFailed)) throw fault;
    return [{ reason: 'input-refused', pointer: before, message: `Expected an input that the schema of ${pointer} takes but: ${fault.message}` }];
  }
}

function listenProblems({ from, to, at }: Versions, pointer: string): readonly UpgradeProblem[] {
  const [task, now] = [from.tasks.get(pointer), to.tasks.get(at(pointer))];
  if (!task || !now || task.kind !== now.kind || canonicalJson(waitedFor(task)) === canonicalJson(waitedFor(now))) return [];
  return [{ reason: 'events-changed', pointer, message: `Expected ${now.pointer} to listen for the same events still, as the execution waits for them, but it listens for others.` }];
}

/** What its filters are and which of them end it. How an event is read, and a condition that ends it, are looked at with each event. */
function waitedFor({ definition }: Task): Json {
  const listen = isJsonObject(definition) ? definition['listen'] : undefined;
  const to = isJsonObject(listen) ? listen['to'] : undefined;
  if (!isJsonObject(to)) return null;
  return typeof to['until'] === 'string' ? { ...to, until: true } : to;
}

/** What results have led to and is still to be done: it names tasks too. */
function heldProblems({ from, to, at, certain }: Versions, state: ExecutionState): readonly UpgradeProblem[] {
  const activations = { ...state.activations, ...state.interrupted?.activations };
  return (state.held ?? []).flatMap((step): UpgradeProblem[] => {
    if (step.go === 'enter' && step.position > 0) {
      const activation = activations[step.scope];
      if (!activation || placeOf(from, to, certain, activation, step.position) !== undefined) return [];
      const message = `Expected the task of ${activation.pointer || 'the workflow'} that a held result leads to, but it is gone. Resume or retry the execution, and migrate it then.`;
      return [{ reason: 'step-held', pointer: activation.pointer, message }];
    }
    if (step.go !== 'complete' || step.then === undefined || FLOW_DIRECTIVES.includes(step.then)) return [];
    const pointer = activations[step.key]?.pointer ?? '';
    const list = listAt(from, at, pointer);
    return [...to.tasks.values()].some((task) => task.name === step.then && listOf(task.pointer) === list)
      ? []
      : [{ reason: 'then-missing', pointer, message: `Expected a task ${JSON.stringify(step.then)} beside ${at(pointer)}, as a held result leads to it, but there is none.` }];
  });
}

/** Where a retry goes on with a task that could not be entered: the execution is before it. */
function failedProblems(versions: Versions, { interrupted }: ExecutionState): readonly UpgradeProblem[] {
  const { from, to, at } = versions;
  const { key, position } = interrupted?.task ?? {};
  const activation = key === undefined ? undefined : interrupted?.activations[key];
  // A fork enters whichever of its branches it has not.
  if (!activation || position === undefined || from.tasks.get(activation.pointer)?.kind === 'fork') return [];
  const task = scopeIn(from, activation, activation.pointer)?.tasks[position];
  if (!task) return [];
  const now = to.tasks.get(at(task.pointer));
  return now && listOf(now.pointer) === listAt(from, at, task.pointer) ? [] : [missing(versions, task)];
}

const isErased = (value: Json): boolean => isJsonObject(value) && canonicalJson(value) === canonicalJson(ERASED);
