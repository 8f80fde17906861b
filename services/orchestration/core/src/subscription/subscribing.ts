// What a subscription to messages has collected, and how the events of a history change it.
import { isJsonObject, type Instant, type Json, type JsonObject } from '@weft/kernel';
import type { ExecutionDraft } from '../execution/execution.draft.js';
import type { ExecutionEvent } from '../execution/execution.events.js';
import type { Activation } from '../execution/execution.state.js';
import { NOTHING, type Gathering } from '../signal/gathering.js';

/** Messages that one job collects at most: those that are there together are one row of the history. */
export const BATCH_MESSAGES_MAX = 100;

export interface Subscribing {
  /** The arguments of the call, as they were evaluated when it began. */
  readonly input: Json;
  /** How many messages it takes at most; absent = any number. */
  readonly amount?: number;
  /** Instant after which no more are collected; absent = none. */
  readonly until?: Instant;
  /** Where the next job goes on, as the last one said; null before the first. */
  readonly position: Json;
  /** Those that the last job collected, and how many of them were taken. */
  readonly messages: readonly Json[];
  readonly next: number;
  /** Messages taken so far. */
  readonly taken: number;
}

type EventOf<T extends ExecutionEvent['type']> = Extract<ExecutionEvent, { type: T }>;

export function beginSubscription(draft: ExecutionDraft, { key, input, amount, until }: EventOf<'SubscriptionBegun'>): void {
  const limits = { ...(amount === undefined ? {} : { amount }), ...(until === undefined ? {} : { until }) };
  draft.change(key, { value: [], subscribing: { input, ...limits, position: null, messages: [], next: 0, taken: 0 } });
}

/** A job has collected some. The next one is another: in a generation of its own it has a key of its own, and this one told again is stale. */
export function takeBatch(draft: ExecutionDraft, subscribing: Subscribing, { key, job, generation, output }: EventOf<'JobCompleted'>): void {
  // A list has no position: what a worker without one, or somebody who plays one, answers with.
  const { messages, position = subscribing.position } = isJsonObject(output) ? output : { messages: output };
  draft.change(key, { subscribing: { ...subscribing, messages: Array.isArray(messages) ? (messages as readonly Json[]) : [], next: 0, position } });
  draft.put('generations', job, generation + 1);
}

export function takeMessage(draft: ExecutionDraft, { key, use, size = 0 }: EventOf<'MessageTaken'>): void {
  const { subscribing, gathering = NOTHING } = draft.activation(key);
  if (!subscribing) return;
  const message = subscribing.messages[subscribing.next] ?? null;
  const items = use === 'gather' ? [...gathering.items, message] : gathering.items;
  draft.change(key, {
    value: use === 'item' ? message : items,
    subscribing: { ...subscribing, next: subscribing.next + 1, taken: subscribing.taken + 1 },
    gathering: { ...gathering, items, size: gathering.size + size, ...(use === 'item' ? { item: message } : {}) },
  });
}

/** What a retry goes on from: the position and all that was taken, less a message that was not done with. */
export function takenUp(subscribing: Subscribing, gathering: Gathering | undefined): Pick<Activation, 'value' | 'subscribing' | 'gathering'> {
  if (!gathering) return { value: [], subscribing };
  if (!gathering.isBusy) return { value: gathering.items, subscribing, gathering };
  const { isBusy: _isBusy, item: _item, ...rest } = gathering;
  return { value: rest.items, subscribing: { ...subscribing, next: subscribing.next - 1, taken: subscribing.taken - 1 }, gathering: { ...rest, index: rest.index - 1 } };
}

/** What the next job is given: the arguments, how much is left to collect, and from where. @param at when it is scheduled. */
export function batchInput({ input, amount, until, position, taken }: Subscribing, at: Instant): Json {
  const args = isJsonObject(input) ? input : {};
  const consume: JsonObject = {
    amount: Math.min(BATCH_MESSAGES_MAX, (amount ?? Infinity) - taken),
    ...(until === undefined ? {} : { for: { milliseconds: Math.max(0, until - at) } }),
  };
  return { ...args, subscription: { ...(isJsonObject(args['subscription']) ? args['subscription'] : {}), consume, batch: { position } } };
}
