// Functions of a document that lead back to themselves: they stand where they are called, so none could ever be carried out.
import type { JsonObject } from '@weft/kernel';
import { callTargetOf } from './call-target.js';
import type { Problem } from './problem.js';
import { FUNCTIONS_POINTER, type PlacedTask } from './tasks.js';
import { excerpt } from './words.js';

/** One problem for each function that calls itself, straight away or through others. @param use the `use` of the document. */
export function functionCycleProblems(use: JsonObject, tasks: readonly PlacedTask[]): readonly Problem[] {
  const functions = tasks.filter(({ list }) => list === FUNCTIONS_POINTER);
  if (functions.length === 0) return [];
  const calls = new Map(functions.map(({ name, pointer }) => [name, calledWithin(pointer, use, tasks)]));
  return functions.flatMap(({ name, pointer }) => {
    const way = wayBack(name, calls);
    if (!way) return [];
    return [{ pointer, message: `Expected functions that do not call themselves but ${pointer} does: ${way.map((step) => `\`${excerpt(step)}\``).join(' calls ')}` }];
  });
}

function calledWithin(pointer: string, use: JsonObject, tasks: readonly PlacedTask[]): readonly string[] {
  return tasks
    .filter(({ pointer: at, kind }) => kind === 'call' && (at === pointer || at.startsWith(`${pointer}/`)))
    .flatMap(({ task }) => (typeof task['call'] === 'string' && callTargetOf(task['call'], use)?.kind === 'local' ? [task['call']] : []));
}

/** The shortest way from a function to itself, both ends named; undefined when there is none. */
function wayBack(start: string, calls: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const seen = new Set<string>();
  const ways: (readonly string[])[] = [[start]];
  for (const way of ways) {
    for (const next of calls.get(way.at(-1)!) ?? []) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
