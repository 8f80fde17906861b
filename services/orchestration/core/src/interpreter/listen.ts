// Waiting for an event, and whether an event is the one.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { canonicalJson } from '@weft/workflow';
import type { ActivationKey } from '../execution/execution.events.js';
import { SIGNALS_KEPT_MAX, type KeptSignal, type OpenListen } from '../execution/execution.state.js';
import { ExpressionFailed } from '../program/expression.js';
import type { Task } from '../program/program.js';
import { listenKey, textOf } from '../signal/listen-key.js';
import type { Advance, Step } from './advance.js';

export type ListenTask = Extract<Task, { kind: 'listen' }>;

/** What an event must have, as it was evaluated when the task was reached. */
interface Expected {
  readonly with: JsonObject;
  /** By name; a correlation that expects nothing is not listed. */
  readonly correlate: JsonObject;
}

/** Takes the oldest kept event that fits, or waits for one. */
export function listen(advance: Advance, task: ListenTask, key: ActivationKey, input: Json): Step {
  const expected = expectedOf(advance, task, key, input);
  const kept = Object.values(advance.state.signals).find((signal) => fits(advance, task, key, expected, signal));
  if (kept) return takeSignal(advance, task, key, kept);
  const eventType = textOf(expected.with['type']) ?? '';
  const correlated = task.filter.correlations.flatMap(({ name, path }) => {
    const value = textOf(expected.correlate[name]);
    return path === undefined || value === undefined ? [] : [{ path, value }];
  });
  const correlation = listenKey(eventType, correlated[0]);
  advance.record({ type: 'ListenOpened', key, listen: `${key}@${advance.state.entered}`, at: advance.context.now, eventType, correlation, expected: expected as unknown as Json });
  return undefined;
}

/** The `listen` that takes an event, of those that are open the one that was opened first. */
export function listenFor(advance: Advance, signal: KeptSignal): OpenListen | undefined {
  return Object.values(advance.state.listens).find(({ key, eventType, expected }) => {
    if (eventType !== '' && eventType !== signal.eventType) return false;
    const task = advance.taskOf(key);
    return task.kind === 'listen' && fits(advance, task, key, expected as unknown as Expected, signal);
  });
}

/** Gives an event to the `listen` of an activation: its output is a list, also of one. */
export function takeSignal(advance: Advance, task: ListenTask, key: ActivationKey, { source, id }: KeptSignal): Step {
  advance.record({ type: 'SignalTaken', key, source, id, read: task.read });
  return { go: 'complete', key, output: advance.activation(key).value };
}

/** Whether no further event can be kept. */
export const isFull = (advance: Advance): boolean => Object.keys(advance.state.signals).length >= SIGNALS_KEPT_MAX;

function expectedOf(advance: Advance, { filter, ...task }: ListenTask, key: ActivationKey, input: Json): Expected {
  const at = { task, key, taskInput: input };
  const correlate = filter.correlations.flatMap(({ name, expect }) => (expect ? [[name, advance.evaluate(expect, input, at)] as const] : []));
  return { with: advance.evaluate(filter.attributes, input, at) as JsonObject, correlate: Object.fromEntries(correlate) };
}

function fits(advance: Advance, task: ListenTask, key: ActivationKey, expected: Expected, { event }: KeptSignal): boolean {
  const attributes = isJsonObject(event) ? event : {};
  const { filter } = task;
  for (const [name, wanted] of Object.entries(expected.with ?? {})) if (!isEqual(attributes[name], wanted)) return false;
  const at = { task, key, taskInput: advance.activation(key).input };
  try {
    if (filter.dataHolds && advance.evaluate(filter.dataHolds, attributes['data'] ?? null, at) !== true) return false;
    return filter.correlations.every(({ name, from, expect }) => {
      const value = advance.evaluate(from, event, at);
      return expect ? isEqual(value, expected.correlate?.[name] ?? null) : value !== null;
    });
  } catch (fault) {
    // An event of someone else's making must not fail the workflow: what cannot be compared does not fit.
    if (fault instanceof ExpressionFailed) return false;
    throw fault;
  }
}

function isEqual(value: Json | undefined, wanted: Json): boolean {
  if (value === undefined) return false;
  const [text, wantedText] = [textOf(value), textOf(wanted)];
  return text !== undefined && wantedText !== undefined ? text === wantedText : canonicalJson(value) === canonicalJson(wanted);
}
