// Whether an execution, as its history folds it, could go on under another version of its definition.
import { isJsonObject, type Json } from '@weft/kernel';
import { canonicalJson, FLOW_DIRECTIVES, schemaProblem } from '@weft/workflow';
import { ERASED } from '../execution/event.codec.js';
import { ROOT, type Activation, type ExecutionState } from '../execution/execution.state.js';
import type { Program, Task } from '../program/program.js';
import { follow, holderOf, isSameKind, listOf, type PointerMap } from './pointer-map.js';

/** Why an execution cannot go on. */
export type Hindrance =
  | 'task-missing'
  | 'task-moved'
  | 'kind-changed'
  | 'call-changed'
  | 'branches-changed'
  | 'events-changed'
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
}

/** What keeps an execution from going on under another version; nothing when it could. What it has left behind, and what is ahead of it, do not matter. */
export function upgradeProblems(state: ExecutionState, from: Program, to: Program, map: PointerMap = {}): readonly UpgradeProblem[] {
  const versions: Versions = { from, to, at: follow(from, map) };
  const { activations, listens } = { ...state, ...state.interrupted };
  const live = Object.values(activations).filter(({ key }) => key !== ROOT);
  return [
    ...mapProblems(from, to, map),
    ...inputProblems(state, to),
    ...live.flatMap((activation) => taskProblems(versions, activation, { ...state, ...state.interrupted })),
    ...[...new Set(Object.values(listens).map(({ key }) => activations[key]?.pointer ?? ''))].flatMap((pointer) => listenProblems(versions, pointer)),
    ...heldProblems(versions, state),
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
  if (!now || holderOf(to, now.pointer) !== at(holderOf(from, pointer))) return [missing(versions, task)];
  const problem = (reason: Hindrance, message: string): UpgradeProblem[] => [{ reason, pointer, message }];
  if (!isSameKind(task, now)) return problem('kind-changed', `Expected ${now.pointer} to be ${kindOf(task)} still, as the execution is in it, but it is ${kindOf(now)}.`);
  if (activation.caught !== undefined && task.kind === 'try' && task.catch.do && now.kind === 'try' && !now.catch.do)
    return problem('catch-missing', `Expected ${now.pointer} to have a \`catch.do\` still, as the execution is in it, but it has none.`);
  const called = calledTool(task);
  if (called !== calledTool(now) && Object.values(state.jobs).some(({ key }) => key === activation.key))
    return problem('call-changed', `Expected ${now.pointer} to call ${called} still, as such a call is under way, but it calls ${calledTool(now)}.`);
  return [...branchProblems(versions, activation, task, now, state), ...schemaProblems(now, activation)];
}

/** Says where the task is by its name, if it is there at all. */
function missing({ from, to, at }: Versions, { pointer, name }: Task): UpgradeProblem {
  const list = at(holderOf(from, pointer)) + listOf(pointer).slice(holderOf(from, pointer).length);
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

function schemaProblems({ definition, pointer }: Task, { rawInput, pointer: before }: Activation): readonly UpgradeProblem[] {
  const input = isJsonObject(definition) ? definition['input'] : undefined;
  const schema = isJsonObject(input) ? input['schema'] : undefined;
  const document = isJsonObject(schema) ? schema['document'] : undefined;
  if (document === undefined || isErased(rawInput)) return [];
  const problem = schemaProblem(document, rawInput);
  return problem === undefined ? [] : [{ reason: 'input-refused', pointer: before, message: `Expected an input that the schema of ${pointer} takes but: ${problem}` }];
}

function listenProblems({ from, to, at }: Versions, pointer: string): readonly UpgradeProblem[] {
  const [task, now] = [from.tasks.get(pointer), to.tasks.get(at(pointer))];
  if (!task || !now || task.kind !== now.kind || canonicalJson(waitedFor(task)) === canonicalJson(waitedFor(now))) return [];
  return [{ reason: 'events-changed', pointer, message: `Expected ${now.pointer} to listen for the same events still, as the execution waits for them, but it listens for others.` }];
}

const waitedFor = ({ definition }: Task): Json => (isJsonObject(definition) ? (definition['listen'] ?? definition['with'] ?? null) : null);

/** What results have led to and is still to be done: it names tasks too. */
function heldProblems({ from, to, at }: Versions, { held = [], activations, interrupted }: ExecutionState): readonly UpgradeProblem[] {
  return held.flatMap((step): UpgradeProblem[] => {
    if (step.go === 'enter' && step.position > 0)
      return [{ reason: 'step-held', pointer: '', message: 'Expected an execution that enters no task at once but a held result leads to one. Resume it, or retry it, and migrate it then.' }];
    if (step.go !== 'complete' || step.then === undefined || FLOW_DIRECTIVES.includes(step.then)) return [];
    const pointer = (activations[step.key] ?? interrupted?.activations[step.key])?.pointer ?? '';
    const { tasks } = from;
    const target = [...tasks.values()].find((task) => task.name === step.then && listOf(task.pointer) === listOf(pointer));
    const there = target && to.tasks.get(at(target.pointer));
    return there?.name === step.then
      ? []
      : [{ reason: 'then-missing', pointer, message: `Expected a task ${JSON.stringify(step.then)} beside ${at(pointer)}, as a held result leads to it, but there is none.` }];
  });
}

const isErased = (value: Json): boolean => isJsonObject(value) && canonicalJson(value) === canonicalJson(ERASED);
