// Where the tasks of a list go on: what can be reached, and what cannot come to an end.
import { objectOf, type Json } from '@weft/kernel';
import { cases } from '../references.js';
import { FUNCTIONS_POINTER, type PlacedTask } from '../tasks.js';

/** The tasks of one list that follow each other, in order. */
export type Flow = readonly PlacedTask[];

/** Lists whose tasks follow each other: not the branches of a fork, nor functions. */
export function flowsOf(tasks: readonly PlacedTask[]): readonly Flow[] {
  const lists = new Map<string, PlacedTask[]>();
  for (const task of tasks) if (!task.isBranch && task.list !== FUNCTIONS_POINTER) lists.set(task.list, [...(lists.get(task.list) ?? []), task]);
  return [...lists.values()];
}

/** The end of a list, as a place that a task goes on to. */
export const LEAVES = -1;

/** The positions that a task of a list may go on to. */
export function successors({ task, kind, position, siblings }: PlacedTask, length: number): readonly number[] {
  const next = position + 1 < length ? position + 1 : LEAVES;
  const goes = (then: Json | undefined): number => (then === undefined || then === 'continue' ? next : then === 'exit' || then === 'end' ? LEAVES : (siblings.get(String(then)) ?? LEAVES));
  const own =
    kind === 'raise'
      ? [LEAVES]
      : kind === 'switch'
        ? switchGoes(
            cases(task).map(({ fields }) => fields),
            goes,
            task['then'],
          )
        : [goes(task['then'])];
  // A skipped task goes on to the next one, whatever its `then` says.
  return task['if'] === undefined ? own : [...own, next];
}

function switchGoes(choices: readonly { readonly [field: string]: Json }[], goes: (then: Json | undefined) => number, otherwise: Json | undefined): readonly number[] {
  const hasDefault = choices.some((choice) => objectOf(choice)['when'] === undefined);
  return [...choices.map((choice) => goes(choice['then'])), ...(hasDefault ? [] : [goes(otherwise)])];
}

/** The positions of a list that are reached from its first task. */
export function reached(flow: Flow): ReadonlySet<number> {
  const found = new Set<number>();
  const open = [0];
  for (let position = open.pop(); position !== undefined; position = open.pop()) {
    if (position === LEAVES || found.has(position)) continue;
    found.add(position);
    const placed = flow.find((task) => task.position === position);
    if (placed) open.push(...successors(placed, flow.length));
  }
  return found;
}
