// Walks the tasks of a document in its order, whether it was checked or not.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { TaskKind } from './document.js';
import { NOT_YET_KINDS, TASK_KINDS } from './document.schema.js';
import { pointerTo } from './pointer.js';

/** A task where it stands. */
export interface PlacedTask {
  /** In the form of the conformance suite: /do/0/name/try/0/name. */
  readonly pointer: string;
  readonly name: string;
  readonly task: JsonObject;
  /** Undefined when it is not exactly one that this engine carries out. */
  readonly kind: TaskKind | undefined;
  /** Pointer of the list it stands in, and its place there from 0. */
  readonly list: string;
  readonly position: number;
  /** The names in the list, its own included, with the (first) position of each. */
  readonly siblings: ReadonlyMap<string, number>;
  /** Pointer of the task around it; '' for those of the document. */
  readonly parent: string;
  /** Variables that surrounding catches and loops add, outermost first. */
  readonly variables: readonly string[];
  /** Whether it is a branch of a `fork`: its siblings run at the same time. */
  readonly isBranch: boolean;
}

/** Name of the error variable of a `catch` that names none. */
export const ERROR_VARIABLE = 'error';

/** Names of the variables of a `for` that names none. */
export const ITEM_VARIABLE = 'item';
export const INDEX_VARIABLE = 'index';

/** All tasks that have the form of one: an object under a name. Parents come before their children. */
export function placedTasks(document: JsonObject): readonly PlacedTask[] {
  const found: PlacedTask[] = [];
  addList(found, document['do'], '/do', '', []);
  return found;
}

function addList(found: PlacedTask[], list: Json | undefined, pointer: string, parent: string, variables: readonly string[], isBranch = false): void {
  if (!Array.isArray(list)) return;
  const items = (list as readonly Json[]).map((item) => (isJsonObject(item) ? Object.entries(item) : []));
  const siblings = new Map<string, number>();
  items.forEach((entries, position) => entries.forEach(([name]) => siblings.has(name) || siblings.set(name, position)));
  for (const [position, entries] of items.entries()) {
    const [name, task] = entries.length === 1 ? entries[0]! : [];
    if (name === undefined || !isJsonObject(task)) continue;
    const placed: PlacedTask = { pointer: pointerTo(pointer, position, name), name, task, kind: kindOfTask(task), list: pointer, position, siblings, parent, variables, isBranch };
    found.push(placed);
    addChildren(found, placed);
  }
}

function addChildren(found: PlacedTask[], { pointer, task, kind, variables }: PlacedTask): void {
  if (kind === 'do') addList(found, task['do'], `${pointer}/do`, pointer, variables);
  if (kind === 'for') addList(found, task['do'], `${pointer}/do`, pointer, [...variables, ...loopVariablesOf(task)]);
  if (kind === 'fork' && isJsonObject(task['fork'])) addList(found, task['fork']['branches'], `${pointer}/fork/branches`, pointer, variables, true);
  if (kind !== 'try') return;
  addList(found, task['try'], `${pointer}/try`, pointer, variables);
  const clause = task['catch'];
  if (isJsonObject(clause)) addList(found, clause['do'], `${pointer}/catch/do`, pointer, [...variables, errorVariableOf(clause)]);
}

/** Name of the variable that holds the error in a `catch`. */
export const errorVariableOf = (clause: JsonObject): string => (typeof clause['as'] === 'string' ? clause['as'] : ERROR_VARIABLE);

/** Names of the variables that hold the item and its index in a `for`. */
export function loopVariablesOf(task: JsonObject): readonly [item: string, index: string] {
  const { each, at } = isJsonObject(task['for']) ? task['for'] : {};
  return [typeof each === 'string' ? each : ITEM_VARIABLE, typeof at === 'string' ? at : INDEX_VARIABLE];
}

function kindOfTask(task: JsonObject): TaskKind | undefined {
  // The body of a loop stands beside its `for`, under the key of another kind.
  if (Object.hasOwn(task, 'for') && Object.hasOwn(task, 'do')) return kindOfTask(Object.fromEntries(Object.entries(task).filter(([key]) => key !== 'do')));
  const [kind, ...others] = TASK_KINDS.filter((candidate) => Object.hasOwn(task, candidate));
  return others.length === 0 && !NOT_YET_KINDS.some((candidate) => Object.hasOwn(task, candidate)) ? kind : undefined;
}
