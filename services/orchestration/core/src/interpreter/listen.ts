// Waiting for events: which are taken, and when a `listen` is over.
import type { Json, JsonObject } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { KeptSignal, OpenListen } from '../execution/execution.state.js';
import type { Task } from '../program/program.js';
import { standardError } from '../program/workflow-error.js';
import { correlationKeys, expectedOf, fits, type Expected, type ListeningAt } from '../signal/fits.js';
import { listenKey, textOf } from '../signal/listen-key.js';
import { jsonLength } from '../signal/json-length.js';
import { EARLY_EVENTS } from '../upgrade/engine-flags.js';
import type { Advance, Step } from './advance.js';
import { narrowSubscriptions } from './subscribe.js';
import { beginItem, endItem } from './item.js';

export type ListenTask = Extract<Task, { kind: 'listen' }>;

/** All that a `listen` may gather, in characters of JSON. */
export const GATHERED_MAX = 4 * 1024 * 1024;

/** Opens a `listen`: it takes the oldest kept event that fits, or waits for one. */
export function listen(advance: Advance, task: ListenTask, key: ActivationKey, input: Json): Step {
  const at = { task, key, taskInput: input };
  const expected = task.filters.map((filter) => expectedOf(advance, filter, at));
  if (endsWithOne(task)) {
    const kept = freeSignals(advance, key).find((signal) => task.filters.some((filter, index) => fits(advance, filter, expected[index]!, signal, at)));
    if (kept)
      return takeLast(
        advance,
        task,
        task.filters.findIndex((filter, index) => fits(advance, filter, expected[index]!, kept, at)),
        kept,
        at,
        true,
      );
  }
  for (const [index, filter] of task.filters.entries()) {
    open(advance, task, key, index, expected[index]!);
    narrowSubscriptions(advance, filter, textOf(expected[index]!.with['type']) ?? '');
  }
  return endsWithOne(task) ? undefined : { go: 'hear', key };
}

/** Whether the first event ends it and nothing more is done with it. */
const endsWithOne = ({ to, until, foreach }: ListenTask): boolean => to !== 'all' && until === undefined && !foreach;

const correlates = ({ filters }: ListenTask): boolean => filters.some(({ correlations }) => correlations.length > 0);

function open(advance: Advance, task: ListenTask, key: ActivationKey, index: number, expected: Expected): void {
  const eventType = textOf(expected.with['type']) ?? '';
  const correlated = task.filters[index]!.correlations.flatMap(({ name, path }) => {
    const value = textOf(expected.correlate[name]);
    return path === undefined || value === undefined ? [] : [{ path, value }];
  });
  advance.record({
    type: 'ListenOpened',
    key,
    listen: `${key}@${advance.state.entered}${index === 0 ? '' : `/${index}`}`,
    at: advance.context.now,
    eventType,
    correlation: listenKey(eventType, correlated[0]),
    expected: expected as unknown as Json,
    ...(index === 0 ? {} : { filter: index }),
    ...(index === 0 && correlates(task) && advance.has(EARLY_EVENTS) ? { correlates: true } : {}),
  });
}

/** What becomes of an event that has come in. */
export type Taking =
  /** The first event that the activation waits for, or one more: `takeLast` and `hear`. */
  | { readonly how: 'last' | 'hear'; readonly listen: OpenListen }
  /** The `listen` is still about an earlier one. */
  | { readonly how: 'queue' };

/** The `listen` that an event is for, of those that are open the one that was opened first. */
export function takingOf(advance: Advance, signal: KeptSignal): Taking | undefined {
  const open = Object.values(advance.state.listens).find((each) => isFor(advance, each, signal));
  if (!open) return undefined;
  if (isBusy(advance, open.key)) return { how: 'queue' };
  return { how: endsWithOne(advance.taskOf(open.key) as ListenTask) ? 'last' : 'hear', listen: open };
}

/** Takes the event that a `listen` waits for. */
export function takeAwaited(advance: Advance, { key, filter = 0 }: OpenListen, signal: KeptSignal): Step {
  const task = advance.taskOf(key) as ListenTask;
  return takeLast(advance, task, filter, signal, { task, key, taskInput: advance.activation(key).input });
}

/** Gives a `listen` its only event: its output is a list, also of one. */
function takeLast(advance: Advance, task: ListenTask, filter: number, signal: KeptSignal, at: ListeningAt, isKept = false): Step {
  const keys = correlationKeys(advance, task.filters[filter]!, signal, at);
  const { source, id } = signal;
  advance.record({ type: 'SignalTaken', key: at.key, source, id, read: task.read, ...(keys ? { keys, ...(isKept ? { kept: true } : {}) } : {}) });
  return { go: 'complete', key: at.key, output: advance.activation(at.key).value };
}

/** Takes kept events one after the other, the oldest first, until the `listen` is over, is about one of them, or must wait. */
export function hear(advance: Advance, key: ActivationKey): Step {
  const task = advance.taskOf(key) as ListenTask;
  for (;;) {
    if (isBusy(advance, key)) return undefined;
    const next = nextHeard(advance, key);
    if (!next) return undefined;
    const isEnding = (next.listen.filter ?? 0) >= task.ending;
    take(advance, task, next.listen, next.signal, isEnding);
    if (!isEnding && task.foreach) {
      const step = beginItem(advance, key, task.foreach);
      if (step) return step;
    }
    const step = afterEvent(advance, task, key, isEnding);
    if (step) return step;
  }
}

/** Goes on when the tasks of its `foreach` have ended for an event. */
export function hearOn(advance: Advance, task: ListenTask, key: ActivationKey): Step {
  endItem(advance, key, task.foreach!);
  return afterEvent(advance, task, key, false) ?? { go: 'hear', key };
}

function nextHeard(advance: Advance, key: ActivationKey): { readonly signal: KeptSignal; readonly listen: OpenListen } | undefined {
  const task = advance.taskOf(key) as ListenTask;
  const own = Object.values(advance.state.listens).filter((each) => each.key === key);
  const isEnding = ({ filter = 0 }: OpenListen): boolean => filter >= task.ending;
  // What ends it is not among what it gathers, also where its other filters would take it.
  const listens = [...own.filter(isEnding), ...own.filter((each) => !isEnding(each))];
  for (const signal of freeSignals(advance, key)) {
    const listen = listens.find((each) => isFor(advance, each, signal));
    if (listen) return { signal, listen };
  }
  return undefined;
}

function take(advance: Advance, task: ListenTask, { id: listen, key, filter = 0 }: OpenListen, signal: KeptSignal, isEnding: boolean): void {
  const at = { task, key, taskInput: advance.activation(key).input };
  const keys = correlationKeys(advance, task.filters[filter]!, signal, at);
  const { source, id } = signal;
  const isGathered = !isEnding && !task.foreach;
  // One filter of `all` takes one event; those of `any` take what comes.
  const closes = (isEnding ? task.until === 'all' : task.to !== 'any') ? { closes: listen } : {};
  advance.record({
    type: 'SignalTaken',
    key,
    source,
    id,
    read: task.read,
    use: isEnding ? 'end' : task.foreach ? 'item' : 'gather',
    ...closes,
    ...(keys ? { keys } : {}),
    ...(isGathered ? { size: jsonLength(signal.event) } : {}),
  });
}

/** Whether the `listen` is over, or has gathered too much; undefined when it goes on. */
function afterEvent(advance: Advance, task: ListenTask, key: ActivationKey, isEnding: boolean): Step {
  const { size = 0, items = [] } = advance.activation(key).gathering ?? {};
  if (size > GATHERED_MAX)
    return {
      go: 'raise',
      key,
      error: standardError(
        'runtime',
        task.pointer,
        'listen-too-large',
        `Expected at most ${GATHERED_MAX} characters gathered by one \`listen\` but there are ${size}: end it sooner with \`until\`, or keep less of each event with \`foreach.output.as\`.`,
      ),
    };
  if (!isOver(advance, task, key, isEnding, items)) return undefined;
  const { bound = {} } = advance.activation(key).gathering ?? {};
  advance.record({ type: 'ListenClosed', key, ...(correlates(task) ? { keys: bound } : {}) });
  return { go: 'complete', key, output: advance.activation(key).value };
}

function isOver(advance: Advance, task: ListenTask, key: ActivationKey, isEnding: boolean, items: readonly Json[]): boolean {
  const isLeft = (isOne: (filter: number) => boolean): boolean => Object.values(advance.state.listens).some(({ key: of, filter = 0 }) => of === key && isOne(filter));
  if (isEnding) return task.until !== 'all' || !isLeft((filter) => filter >= task.ending);
  if (task.to === 'all') return !isLeft((filter) => filter < task.ending);
  if (typeof task.until !== 'function') return task.until === undefined;
  return advance.evaluate(task.until, items, { task, key, taskInput: advance.activation(key).input }) === true;
}

function isFor(advance: Advance, { key, eventType, expected, filter = 0 }: OpenListen, signal: KeptSignal): boolean {
  if (eventType !== '' && eventType !== signal.eventType) return false;
  const task = advance.taskOf(key);
  if (task.kind !== 'listen') return false;
  const { input, gathering } = advance.activation(key);
  return fits(advance, task.filters[filter]!, expected as unknown as Expected, signal, { task, key, taskInput: input }, gathering?.bound as JsonObject | undefined);
}

/** Whether the tasks of its `foreach` run. */
const isBusy = (advance: Advance, key: ActivationKey): boolean => advance.activation(key).gathering?.isBusy === true;

/** Kept events that an activation may take, oldest first: not those that wait for another `listen` to have done with an earlier one. */
function freeSignals(advance: Advance, key: ActivationKey): readonly KeptSignal[] {
  const kept = Object.values(advance.state.signals);
  if (kept.length === 0) return kept;
  const queues = Object.values(advance.state.listens).filter((each) => each.key !== key && isBusy(advance, each.key));
  return queues.length === 0 ? kept : kept.filter((signal) => !queues.some((each) => isFor(advance, each, signal)));
}
