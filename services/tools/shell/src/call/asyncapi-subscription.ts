// Messages that a subscription of `call: asyncapi` collects: all that it is about, or a few and where the next job goes on.
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { classifyHttp, type InboundMessage } from '@weft/tools/core';
import { notMade, type Sent } from '../carry-out/work.js';
import { BodyCut } from '../egress/egress-exchange.js';
import type { AsyncApiPorts, ReadyExchange } from './asyncapi-call.js';
import { credentialHeaders } from './call-credentials.js';
import { InboundMessages } from './inbound-messages.js';
import { beginOnKafka, collectFromKafka } from './kafka-exchange.js';
import { serverSentEvents } from './server-sent-events.js';

/** Where to go on. Of Kafka the next offset by partition, of HTTP the id of the last event that had one. */
export type Collected = { readonly position: JsonObject } | { readonly failure: Failure };

/** How long a job that has a message waits for those that come with it, milliseconds. */
const LINGER_MS = 100;
/** How long it waits before it asks a server again that has nothing and does not wait, milliseconds. */
const RECONNECT_MS = 1_000;

interface Collecting {
  readonly forMs: number;
  readonly take: InboundMessages['take'];
  readonly signal: AbortSignal | undefined;
  /** Where to begin; undefined: at what comes from now on. */
  readonly from?: JsonObject | undefined;
  /** Ends it without fault: it has what it wanted. */
  readonly enough?: AbortSignal;
}

export async function collect(ports: AsyncApiPorts, job: Job, ready: ReadyExchange, leftMs: number, signal: AbortSignal | undefined): Promise<Sent> {
  const { forMs = ports.subscriptionTimeoutMs, batch } = ready.call.subscription;
  const time = { forMs: Math.min(forMs, ports.subscriptionTimeoutMs, leftMs), signal };
  return batch ? collectSome(ports, job, ready, { ...time, from: batch.position }) : collectAll(ports, job, ready, time);
}

const inboundOf = (job: Job, { call }: ReadyExchange): InboundMessages => new InboundMessages(call.subscription, job.context?.deadlineMs ?? 0);

const confirmed = (messages: readonly InboundMessage[], output: Json): Sent => ({ outcome: { kind: 'confirmed' }, answer: { output }, evidence: { messages: messages.length } });

async function collectAll(ports: AsyncApiPorts, job: Job, ready: ReadyExchange, time: Omit<Collecting, 'take'>): Promise<Sent> {
  const { forMs, amount } = ready.call.subscription;
  const inbound = inboundOf(job, ready);
  const collected = await collectFrom(ports, groupOf(job), job, ready, { ...time, take: inbound.take });
  const fault = inbound.failure ?? ('failure' in collected ? collected.failure : undefined);
  if (fault) return notMade(fault);
  // Who names a time takes what came in it; who names an amount only wants that many.
  if (amount !== undefined && forMs === undefined && inbound.messages.length < amount)
    return notMade(rejection('timeout', `Expected ${amount} messages within ${ports.subscriptionTimeoutMs} ms but ${inbound.messages.length} came.`));
  return confirmed(inbound.messages, inbound.messages as unknown as Json);
}

const groupOf = ({ idempotencyKey }: Job): string => `weft-call-${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32)}`;

/** Collects what is there together, or waits for it as long as it may. The first job on Kafka only says where the subscription begins, so that nothing is missed from then on. */
async function collectSome(ports: AsyncApiPorts, job: Job, ready: ReadyExchange, { from: begun, ...time }: Omit<Collecting, 'take'>): Promise<Sent> {
  const batchOf = (messages: readonly InboundMessage[], position: JsonObject): Sent => confirmed(messages, { messages: messages as unknown as Json, position });
  if (begun === undefined && ready.place.protocol === 'kafka') {
    const collected = await beginOnKafka(ports.egress, ready);
    return 'failure' in collected ? notMade(collected.failure) : batchOf([], collected.position);
  }
  const untilMs = performance.now() + time.forMs;
  for (let from = begun ?? {}; ;) {
    const inbound = inboundOf(job, ready);
    const collected = await lingering(inbound, (take, enough) => collectFrom(ports, ephemeralGroup(), job, ready, { ...time, forMs: Math.max(0, untilMs - performance.now()), from, take, enough }));
    const isLast = performance.now() + RECONNECT_MS >= untilMs || time.signal?.aborted === true;
    if (inbound.failure) return notMade(inbound.failure);
    if ('failure' in collected) {
      // What could be reached before is waited for: to subscribe anew would be to miss messages.
      if (isLast || begun === undefined || !collected.failure.retryable) return notMade(collected.failure);
    } else {
      from = collected.position;
      if (isLast || inbound.messages.length > 0) return batchOf(inbound.messages, from);
    }
    await sleep(RECONNECT_MS, undefined, time.signal ? { signal: time.signal } : {}).catch(() => undefined);
  }
}

// Where it begins is known to the job alone: it shares nothing with an attempt that was lost.
const ephemeralGroup = (): string => `weft-call-${randomUUID()}`;

/** Collects until a little after the first message. */
async function lingering(inbound: InboundMessages, collecting: (take: Collecting['take'], enough: AbortSignal) => Promise<Collected>): Promise<Collected> {
  const enough = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const take: Collecting['take'] = (message) => {
    const isLast = inbound.take(message);
    if (inbound.messages.length > 0) timer ??= setTimeout(() => enough.abort(), LINGER_MS);
    return isLast;
  };
  try {
    return await collecting(take, enough.signal);
  } finally {
    clearTimeout(timer);
  }
}

function collectFrom(ports: AsyncApiPorts, group: string, job: Job, ready: ReadyExchange, collecting: Collecting): Promise<Collected> {
  if (ready.place.protocol === 'http') return collectOverHttp(ports, job, ready, collecting);
  const { signal, enough, from, ...others } = collecting;
  return collectFromKafka(ports.egress, group, ready, { ...others, from: from as { readonly [partition: string]: string } | undefined, signal: anyOf(signal, enough) });
}

/** What a server sends as events, one message each. */
async function collectOverHttp(ports: AsyncApiPorts, job: Job, { call, place, sender, withheld }: ReadyExchange, { forMs, take, signal, enough, from = {} }: Collecting): Promise<Collected> {
  const credentials = await credentialHeaders(ports, job, call.authentication, { sender, withheld, timeoutMs: forMs });
  if (!credentials.ok) return credentials;
  const url = `${place.server}${place.address}`;
  const ended = anyOf(signal, enough);
  let { lastEventId } = from;
  const answer = await ports.egress.stream({
    method: place.method || 'GET',
    url,
    headers: { accept: 'text/event-stream', ...(typeof lastEventId === 'string' ? { 'last-event-id': Buffer.from(lastEventId).toString('latin1') } : {}), ...credentials.headers },
    sender,
    timeoutMs: forMs,
    mayRepeat: true,
    ...(ended ? { signal: ended } : {}),
  });
  const position = (): Collected => ({ position: lastEventId === undefined ? {} : { lastEventId } });
  const outcome = classifyHttp('read', answer.kind === 'streaming' ? { kind: 'answered', status: answer.status } : answer);
  if (answer.kind !== 'streaming') return outcome.kind === 'confirmed' ? position() : { failure: outcome.failure };
  try {
    if (outcome.kind !== 'confirmed') return { failure: outcome.failure };
    if (!/^text\/event-stream\b/i.test(answer.headers['content-type'] ?? ''))
      return { failure: rejection('output-invalid', `Expected ${url} to send events but it answers with ${answer.headers['content-type'] ?? 'nothing that says what it is'}.`) };
    for await (const event of serverSentEvents(answer.body)) {
      lastEventId = event.lastEventId ?? lastEventId;
      if (take({ value: Buffer.from(event.data), headers: {} })) break;
    }
    return position();
  } catch (error) {
    if (!(error instanceof BodyCut)) throw error;
    // Its time is over, or another connection goes on: what came is what there is.
    return error.reason === 'timeout' || enough ? position() : { failure: rejection('unreachable', error.message, { retryable: true }) };
  } finally {
    answer.discard();
  }
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length === 0 ? undefined : AbortSignal.any(given);
}
