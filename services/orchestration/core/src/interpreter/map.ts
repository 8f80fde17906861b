// `map`: one execution of a workflow for each item of a list, so many at a time.
import { isJsonObject, type Json } from '@weft/kernel';
import { entriesOf, entryAt } from '../child/chunked.js';
import type { MapState, OnItemError, WorkflowName } from '../child/child.state.js';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import type { Advance, Step } from './advance.js';
import { inputInvalid } from '../program/workflow-error.js';
import { childIdOf, depthProblem, workflowNameOf } from './children.js';

export type MapTask = Extract<Task, { kind: 'map' }>;

/** Items at the same time where a `map` does not say. */
export const CONCURRENCY_DEFAULT = 10;
export const CONCURRENCY_MAX = 1_000;

/** Evaluates the list, once, and starts the first items. Of an empty or missing one the output is an empty list. */
export function beginMap(advance: Advance, task: MapTask, key: ActivationKey, input: Json): Step {
  const given = givenOf(advance.evaluate(task.arguments, input, { task, key, taskInput: input }));
  if (typeof given === 'string') return { go: 'raise', key, error: inputInvalid(task, given) };
  if (given.items.length === 0) return { go: 'complete', key, output: [] };
  const tooDeep = depthProblem(advance, task);
  if (tooDeep) return { go: 'raise', key, error: tooDeep };
  const { workflow, items, concurrency, onError } = given;
  advance.record({ type: 'MapBegun', key, workflow, count: items.length, concurrency, onError, items });
  return { go: 'map', key };
}

/** Starts items until as many run as may, and completes when all have ended. */
export function goOnMap(advance: Advance, key: ActivationKey): Step {
  const { map, value } = advance.activation(key);
  // The step that raises it comes after this one: both ended while nothing was taken.
  if (map && advance.takesSeveral && hasFailed(map)) return undefined;
  if (!map || map.ended === map.count) return { go: 'complete', key, output: value };
  const open = new Set(Object.values(advance.state.children ?? {}).flatMap((child) => (child.key === key ? [child.item ?? 0] : [])));
  let room = map.concurrency - open.size;
  for (const item of itemsToStart(map, open)) {
    if (room-- <= 0) break;
    advance.record({ type: 'ChildStarted', key, child: childIdOf(advance, { key, item }), item });
  }
  return undefined;
}

/** Whether an item has failed that fails the whole. */
const hasFailed = ({ onError, results, count }: MapState): boolean => onError === 'fail' && entriesOf(results, count).some((entry) => isJsonObject(entry) && 'error' in entry);

/** Items that have neither ended nor run: those whose execution was given up when this one faulted, then those that come next. */
function* itemsToStart(map: MapState, open: ReadonlySet<number>): Generator<number> {
  if (map.ended + open.size < map.next) for (let item = 0; item < map.next; item++) if (!open.has(item) && entryAt(map.results, item) === null) yield item;
  for (let item = map.next; item < map.count; item++) yield item;
}

interface Given {
  readonly workflow: WorkflowName;
  readonly items: readonly Json[];
  readonly concurrency: number;
  readonly onError: OnItemError;
}

/** The arguments as they were evaluated, or what is wrong with them. */
function givenOf(given: Json): Given | string {
  if (!isJsonObject(given)) return 'Expected the arguments of map to be an object.';
  const { in: items = null, concurrency = CONCURRENCY_DEFAULT, onError = 'fail' } = given;
  const workflow = workflowNameOf(given['workflow']);
  if (!workflow) return 'Expected `workflow` to have a `namespace`, a `name` and a `version` as texts.';
  if (items !== null && !Array.isArray(items)) return `Expected \`in\` to give a list but it gives ${typeof items === 'object' ? 'an object' : `a ${typeof items}`}.`;
  if (typeof concurrency !== 'number' || !Number.isInteger(concurrency) || concurrency < 1 || concurrency > CONCURRENCY_MAX)
    return `Expected \`concurrency\` to be an integer from 1 to ${CONCURRENCY_MAX}.`;
  if (onError !== 'fail' && onError !== 'collect') return 'Expected `onError` to be `fail` or `collect`.';
  return { workflow, items: (items ?? []) as readonly Json[], concurrency, onError };
}
