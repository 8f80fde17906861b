// Walks the tasks of a document in its order, whether it was checked or not.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { pointerTo } from './pointer.js';
import { TASK_KINDS, type TaskKind } from './task-kind.js';

/** A task where it stands. */
export interface PlacedTask {
  /** In the form of the conformance suite: /do/0/name/try/0/name. A function is at /use/functions/name. */
  readonly pointer: string;
  readonly name: string;
  readonly task: JsonObject;
  /** Undefined when it is not exactly one. */
  readonly kind: TaskKind | undefined;
  /** Pointer of the list it stands in, and its place there from 0. */
  readonly list: string;
  readonly position: number;
  /** The names in the list, its own included, with the (first) position of each. */
  readonly siblings: ReadonlyMap<string, number>;
  /** Pointer of the task around it; '' for those of the document, of its functions and its extensions. */
  readonly parent: string;
  /** Variables that surrounding catches, loops and iterators add, outermost first. */
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
  if (isJsonObject(document['use'])) addReusable(found, document['use']);
  addList(found, document['do'], '/do', '', []);
  return found;
}

/** The list that functions seem to stand in, as far as their tasks go. */
export const FUNCTIONS_POINTER = '/use/functions';

function addReusable(found: PlacedTask[], use: JsonObject): void {
  for (const [name, task] of Object.entries(isJsonObject(use['functions']) ? use['functions'] : {})) {
    if (!isJsonObject(task)) continue;
    const pointer = pointerTo(FUNCTIONS_POINTER, name);
    const placed: PlacedTask = { pointer, name, task, kind: kindOfTask(task), list: FUNCTIONS_POINTER, position: 0, siblings: new Map([[name, 0]]), parent: '', variables: [], isBranch: false };
    found.push(placed);
    addChildren(found, placed);
  }
  for (const { pointer, extension } of extensionsOf(use)) {
    addList(found, extension['before'], `${pointer}/before`, '', []);
    addList(found, extension['after'], `${pointer}/after`, '', []);
  }
}

/** The extensions that have the form of one. */
export function extensionsOf(use: JsonObject): readonly { readonly pointer: string; readonly name: string; readonly extension: JsonObject }[] {
  const list = use['extensions'];
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).flatMap((item, position) =>
    Object.entries(isJsonObject(item) ? item : {}).flatMap(([name, extension]) => (isJsonObject(extension) ? [{ pointer: pointerTo('/use/extensions', position, name), name, extension }] : [])),
  );
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
  const iterator = iteratorOf(task);
  if (iterator) addList(found, iterator.fields['do'], `${pointer}/${iterator.at}/do`, pointer, [...variables, ...iteratorVariablesOf(iterator.fields)]);
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

/** What a task does with each event or message, and where that stands in it. */
export function iteratorOf(task: JsonObject): { readonly at: string; readonly fields: JsonObject } | undefined {
  if (isJsonObject(task['foreach']) && Object.hasOwn(task, 'listen')) return { at: 'foreach', fields: task['foreach'] };
  const subscription = task['call'] === 'asyncapi' && isJsonObject(task['with']) ? task['with']['subscription'] : undefined;
  return isJsonObject(subscription) && isJsonObject(subscription['foreach']) ? { at: 'with/subscription/foreach', fields: subscription['foreach'] } : undefined;
}

/** Names of the variables that hold the item and its index in an iterator of events or messages. */
export const iteratorVariablesOf = ({ item, at }: JsonObject): readonly [item: string, index: string] => [
  typeof item === 'string' ? item : ITEM_VARIABLE,
  typeof at === 'string' ? at : INDEX_VARIABLE,
];

/** The kind of a task; undefined when it is not exactly one. */
export function kindOfTask(task: JsonObject): TaskKind | undefined {
  // The body of a loop stands beside its `for`, under the key of another kind.
  const [kind, ...others] = TASK_KINDS.filter((candidate) => Object.hasOwn(task, candidate) && !(candidate === 'do' && Object.hasOwn(task, 'for')));
  return others.length === 0 ? kind : undefined;
}
