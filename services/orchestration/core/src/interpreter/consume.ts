// A subscription to messages that are taken one by one: a job collects what is there, and the next one goes on where it stopped.
import { isJsonObject, type Json } from '@weft/kernel';
import { parseDuration } from '@weft/workflow';
import type { ActivationKey } from '../execution/execution.events.js';
import { jobIdIn } from '../execution/execution.state.js';
import type { Task } from '../program/program.js';
import { inputInvalid, standardError } from '../program/workflow-error.js';
import { jsonLength } from '../signal/json-length.js';
import type { Subscribing } from '../subscription/subscribing.js';
import type { Advance, Step } from './advance.js';
import { argumentsOf } from './call-arguments.js';
import { scheduleJob } from './schedule-job.js';
import { beginItem, endItem } from './item.js';
import { GATHERED_MAX } from './listen.js';

export type SubscriptionTask = Extract<Task, { kind: 'subscription' }>;

/** Evaluates the arguments, once for all jobs. One that a retry takes up again goes on where it was. */
export function beginSubscription(advance: Advance, task: SubscriptionTask, key: ActivationKey, input: Json): Step {
  if (advance.activation(key).subscribing) return { go: 'consume', key };
  const given = argumentsOf(advance, task, key, input);
  const { now } = advance.context;
  const limits = limitsOf(given, now);
  if (typeof limits === 'string') return { go: 'raise', key, error: inputInvalid(task, limits) };
  advance.record({ type: 'SubscriptionBegun', key, at: now, ...limits, input: given });
  return limits.amount === 0 ? complete(advance, key) : { go: 'consume', key };
}

/** How many messages and until when, or what is wrong with that. */
function limitsOf(given: Json, now: number): Pick<Subscribing, 'amount' | 'until'> | string {
  const subscription = isJsonObject(given) ? given['subscription'] : undefined;
  const consume = isJsonObject(subscription) ? subscription['consume'] : undefined;
  const { amount, for: time } = isJsonObject(consume) ? consume : {};
  if (amount !== undefined && !(Number.isInteger(amount) && Number(amount) >= 0)) return 'Expected `consume.amount` to be an integer from 0.';
  const duration = time === undefined ? undefined : parseDuration(time);
  if (duration?.ok === false) return 'Expected `consume.for` to be a duration such as { minutes: 1 }.';
  return { ...(amount === undefined ? {} : { amount: Number(amount) }), ...(duration ? { until: now + duration.ms } : {}) };
}

/** Takes the messages that were collected one after the other, until it is over, is about one of them, or needs more. */
export function consume(advance: Advance, key: ActivationKey): Step {
  const task = advance.taskOf(key) as SubscriptionTask;
  for (;;) {
    const { subscribing, gathering } = advance.activation(key);
    if (!subscribing || gathering?.isBusy) return undefined;
    if (subscribing.next >= subscribing.messages.length) return haveMoreCollected(advance, subscribing, key);
    const step = take(advance, task, key, subscribing) ?? afterMessage(advance, task, key);
    if (step) return step;
  }
}

/** Goes on when the tasks of its `foreach` have ended for a message. */
export function consumeOn(advance: Advance, task: SubscriptionTask, key: ActivationKey): Step {
  endItem(advance, key, task.foreach!, !task.isEndless);
  return afterMessage(advance, task, key) ?? { go: 'consume', key };
}

function take(advance: Advance, task: SubscriptionTask, key: ActivationKey, { messages, next }: Subscribing): Step {
  const isGathered = !task.foreach && !task.isEndless;
  advance.record({ type: 'MessageTaken', key, use: task.foreach || task.isEndless ? 'item' : 'gather', ...(isGathered ? { size: jsonLength(messages[next] ?? null) } : {}) });
  return task.foreach ? beginItem(advance, key, task.foreach, !task.isEndless) : undefined;
}

function haveMoreCollected(advance: Advance, { until }: Subscribing, key: ActivationKey): Step {
  const { now } = advance.context;
  if (until !== undefined && now >= until) return complete(advance, key);
  if (!advance.state.jobs[jobIdIn(advance.state, key)]) scheduleJob(advance, key, 'asyncapi');
  return undefined;
}

/** Whether it is over, or has gathered too much; undefined when it goes on. */
function afterMessage(advance: Advance, task: SubscriptionTask, key: ActivationKey): Step {
  const { subscribing, gathering, input } = advance.activation(key);
  const { size = 0, items = [] } = gathering ?? {};
  if (size > GATHERED_MAX) return { go: 'raise', key, error: tooLarge(task, size) };
  const holds = (condition: SubscriptionTask['while']): boolean => condition !== undefined && advance.evaluate(condition, items, { task, key, taskInput: input }) === true;
  const isOver = (subscribing?.amount ?? Infinity) <= (subscribing?.taken ?? 0) || (task.while !== undefined && !holds(task.while)) || holds(task.until);
  return isOver ? complete(advance, key) : undefined;
}

function complete(advance: Advance, key: ActivationKey): Step {
  return { go: 'complete', key, output: advance.activation(key).value };
}

const tooLarge = ({ pointer }: SubscriptionTask, size: number) =>
  standardError(
    'runtime',
    pointer,
    'subscription-too-large',
    `Expected at most ${GATHERED_MAX} characters gathered by one subscription but there are ${size}: end it sooner, or keep less of each message with \`foreach.output.as\`.`,
  );
