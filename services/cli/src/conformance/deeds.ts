// What a scenario does to an execution from outside, in the order of its steps.
import { isJsonObject, type Json } from '@weft/kernel';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { operateExecution, readExecution } from '../client/executions.js';
import type { GatewayClient } from '../client/gateway-client.js';
import { decideReview, reviewPage } from '../client/reviews.js';
import { isEnded, type TimelineShape } from '../client/shapes.js';
import { sendSignal } from '../client/signals.js';
import { CommandFailed } from '../exit-codes.js';
import type { Deed } from './ows-steps.js';

const WAIT_MS_MAX = 15_000;
const POLL_MS = 20;

/** Waits until the deed is due, then does it. @throws CommandFailed when the execution ends before, or takes too long. */
export async function doDeed(client: GatewayClient, id: string, { kind, once, what }: Deed): Promise<void> {
  // Also what is due at once needs an execution: a request is accepted before its execution begins.
  await until(`${once ?? 'a task'} to begin`, async () => {
    const { execution, timeline } = await readExecution(client, id);
    if ((once === undefined && timeline.entries.length > 0) || hasBegun(timeline, once)) return true;
    if (isEnded(execution.status)) throw new CommandFailed(`Expected ${once ?? 'a task'} to begin but the execution is ${execution.status}.`);
    return undefined;
  });
  if (kind === 'send' || kind === 'publish') await sendSignal(client, eventText(what), kind === 'send' ? id : undefined);
  else if (kind === 'review') await decide(client, id, what);
  else await operateExecution(client, id, kind, {});
}

/** How often each task was completed. */
export function runsOf({ entries }: TimelineShape): Readonly<Record<string, number>> {
  const runs: Record<string, number> = {};
  for (const { type, task } of entries) if (type === 'TaskCompleted') runs[task] = (runs[task] ?? 0) + 1;
  return runs;
}

const hasBegun = ({ entries }: TimelineShape, task: string | undefined): boolean => entries.some((entry) => entry.task === task);

const eventText = (event: Json): string => JSON.stringify({ specversion: '1.0', id: randomUUID(), source: 'https://conformance.example', ...(isJsonObject(event) ? event : {}) });

async function decide(client: GatewayClient, execution: string, decision: Json): Promise<void> {
  const review = await until('a review to be open', async () => (await reviewPage(client, 1, { execution })).reviews[0]);
  await decideReview(client, review.reviewId, { outcome: 'approved', ...(isJsonObject(decision) ? decision : {}) });
}

async function until<R>(what: string, look: () => Promise<R | undefined>): Promise<R> {
  for (const deadline = Date.now() + WAIT_MS_MAX; ; await sleep(POLL_MS)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new CommandFailed(`Expected ${what} within ${WAIT_MS_MAX} ms.`);
  }
}
