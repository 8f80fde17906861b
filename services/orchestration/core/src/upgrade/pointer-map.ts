// Where the tasks of one definition version are in another: what a person confirms, and what is proposed.
import { canonicalJson, segmentsOf } from '@weft/workflow';
import type { Program, Task } from '../program/program.js';

/** Pointers of tasks in the version that an execution comes from, with where they are in the one that it goes to. What is inside a task follows it. */
export type PointerMap = Readonly<Record<string, string>>;

/** A task that may be another one: somebody has to say so. */
export interface Doubt {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

export interface ProposedMap {
  /** Tasks that are elsewhere, by their name and kind, or by being the same under another name. */
  readonly map: PointerMap;
  /** What is in no map until somebody puts it there. */
  readonly doubts: readonly Doubt[];
}

const proposed = new WeakMap<Program, WeakMap<Program, ProposedMap>>();

/** Proposes where the tasks of a version are in another. Tasks that stay where they are, or move along with the task around them, are not listed. */
export function proposeMap(from: Program, to: Program): ProposedMap {
  const known = proposed.get(from) ?? new WeakMap<Program, ProposedMap>();
  proposed.set(from, known);
  // Thousands of executions go from the one to the other.
  const found = known.get(to) ?? compare(from, to);
  known.set(to, found);
  return found;
}

/** A map with what it leaves open and is certain: nobody has to name the tasks that are found by themselves. */
export function completeMap(from: Program, to: Program, map: PointerMap): PointerMap {
  const taken = new Set(Object.values(map));
  const certain = Object.entries(proposeMap(from, to).map).filter(([, target]) => !taken.has(target));
  return { ...Object.fromEntries(certain), ...map };
}

function compare(from: Program, to: Program): ProposedMap {
  const [old, now] = [listsOf(from), listsOf(to)];
  const map: Record<string, string> = {};
  const doubts: Doubt[] = [];
  const compareLists = (oldList: string, newList: string): void => {
    const matched = matchLists(old.tasks.get(oldList) ?? [], now.tasks.get(newList) ?? [], doubts);
    for (const [before, after] of matched) {
      const follows = newList + before.pointer.slice(oldList.length);
      if (after.pointer !== follows) map[before.pointer] = after.pointer;
      for (const inner of old.within.get(before.pointer) ?? []) compareLists(inner, after.pointer + inner.slice(before.pointer.length));
    }
  };
  for (const list of old.within.get('') ?? []) compareLists(list, list);
  return { map, doubts };
}

/** Where a task is that a map has put another one in the place of. It begins no pointer. */
const NOWHERE = '-';

export const isNowhere = (pointer: string): boolean => pointer.startsWith(NOWHERE);

/** Where each pointer of a version is in the other: by the map, along with the task around it, or in its own place. */
export function follow(from: Program, map: PointerMap): (pointer: string) => string {
  const known = new Map<string, string>();
  const taken = new Set(Object.values(map));
  const at = (pointer: string): string => {
    if (pointer === '') return '';
    const found = known.get(pointer) ?? (Object.hasOwn(map, pointer) ? map[pointer]! : beside(pointer));
    known.set(pointer, found);
    return found;
  };
  const beside = (pointer: string): string => {
    const holder = holderOf(from, pointer);
    const place = at(holder) + pointer.slice(holder.length);
    return taken.has(place) ? NOWHERE : place;
  };
  return at;
}

/** Pointer of the task that a task stands in; '' for the workflow. */
export function holderOf(program: Program, pointer: string): string {
  for (let end = pointer.lastIndexOf('/'); end > 0; end = pointer.lastIndexOf('/', end - 1)) if (program.tasks.has(pointer.slice(0, end))) return pointer.slice(0, end);
  return '';
}

/** Where the list that a task stands in is in the other version. */
export function listAt(from: Program, at: (pointer: string) => string, pointer: string): string {
  const holder = holderOf(from, pointer);
  return at(holder) + listOf(pointer).slice(holder.length);
}

/** Pointer of the list that a task stands in; a function stands in one of its own. */
export const listOf = (pointer: string): string => {
  const [name, position] = segmentsOf(pointer).toReversed();
  const inList = position !== undefined && /^\d+$/.test(position) && name !== undefined;
  const cut = inList ? pointer.lastIndexOf('/', pointer.lastIndexOf('/') - 1) : pointer.lastIndexOf('/');
  return pointer.slice(0, cut);
};

interface Lists {
  readonly tasks: ReadonlyMap<string, readonly Task[]>;
  /** Pointers of the lists in a task, by the task's; '': those of the workflow. */
  readonly within: ReadonlyMap<string, readonly string[]>;
}

function listsOf(program: Program): Lists {
  const tasks = new Map<string, Task[]>();
  const within = new Map<string, string[]>();
  for (const task of program.tasks.values()) {
    const list = listOf(task.pointer);
    const known = tasks.get(list);
    if (known) {
      known.push(task);
      continue;
    }
    tasks.set(list, [task]);
    const holder = holderOf(program, task.pointer);
    within.set(holder, [...(within.get(holder) ?? []), list]);
  }
  return { tasks, within };
}

/** By name and kind, then by being the very same under another name; what is left over once on each side is a doubt. */
function matchLists(before: readonly Task[], after: readonly Task[], doubts: Doubt[]): ReadonlyMap<Task, Task> {
  const matched = new Map<Task, Task>();
  const free = new Set(after);
  const take = (isSame: (task: Task, candidate: Task) => boolean): void => {
    for (const task of before) {
      if (matched.has(task)) continue;
      const found = [...free].filter((candidate) => isSame(task, candidate));
      if (found.length !== 1) continue;
      matched.set(task, found[0]!);
      free.delete(found[0]!);
    }
  };
  take((task, candidate) => task.name === candidate.name && isSameKind(task, candidate));
  take((task, candidate) => isSameKind(task, candidate) && canonicalJson(task.definition) === canonicalJson(candidate.definition));
  for (const task of before.filter((each) => !matched.has(each))) {
    const alike = [...free].filter((candidate) => isSameKind(task, candidate));
    for (const candidate of alike) doubts.push({ from: task.pointer, to: candidate.pointer, why: `both are \`${task.kind}\` and neither is elsewhere, but their names and definitions differ` });
  }
  return matched;
}

/** Whether an execution that is in the one task could be in the other. */
export const isSameKind = (task: Task, candidate: Task): boolean => task.kind === candidate.kind && (task.kind !== 'job' || task.job === (candidate as typeof task).job);
