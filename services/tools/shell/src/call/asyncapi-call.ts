// `call: asyncapi` made ready: a message over Kafka or HTTP, out or in, as the document says where.
import { createHash } from 'node:crypto';
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json } from '@weft/kernel';
import { asyncApiPlace, classifyHttp, identityHeaders, readAsyncApiCall, type AsyncApiCall, type AsyncApiPlace, type EffectClass, type Target } from '@weft/tools/core';
import { notMade, STOPPED, type Sending, type Sent, type Work } from '../carry-out/work.js';
import { exchangeOf } from '../carry-out/send-http.js';
import type { EgressClient } from '../egress/egress-client.js';
import { BodyCut } from '../egress/egress-exchange.js';
import type { Sender } from '../egress/egress-policy.js';
import { foreignYaml } from '../resource/foreign-yaml.js';
import type { Withheld } from '../secret/withheld.js';
import { credentialHeaders, type CredentialPorts } from './call-credentials.js';
import { notMakeable, type CallMaker } from './call-making.js';
import { InboundMessages } from './inbound-messages.js';
import { collectFromKafka, publishToKafka } from './kafka-exchange.js';
import type { Resources } from './resources.js';
import { serverSentData } from './server-sent-events.js';

export interface AsyncApiPorts extends CredentialPorts {
  readonly egress: EgressClient;
  readonly resources: Resources;
  readonly callTimeoutMs: number;
  /** Longest that a subscription collects, milliseconds. */
  readonly subscriptionTimeoutMs: number;
}

/** A call whose place is known. */
export interface ReadyExchange {
  readonly call: AsyncApiCall;
  readonly place: AsyncApiPlace;
  readonly sender: Sender;
  readonly withheld: Withheld;
}

// Connecting, joining a group and leaving it come on top of the time to collect.
const AROUND_MS = 10_000;

export function asyncApiCalls(ports: AsyncApiPorts): CallMaker {
  return async (job, args, { withheld }) => {
    const read = readAsyncApiCall(args);
    const nowhere: Target = { action: 'asyncapi', url: '', method: '', effect: 'read' };
    if (!read.ok) return notMakeable(nowhere, read.failure);
    const call = read.value;
    const place = await placeOf(ports.resources, job, call);
    if ('failure' in place) return notMakeable({ ...nowhere, method: call.direction }, place.failure);
    const effect: EffectClass = call.direction === 'publish' ? 'non-idempotent-write' : 'read';
    const sender = { name: `call: asyncapi of workflow ${job.workflow}`, origins: [], mayGoAnywherePublic: false };
    const url = place.protocol === 'kafka' ? `kafka://${place.server}` : place.server;
    const { forMs = ports.subscriptionTimeoutMs } = call.subscription;
    const ready: ReadyExchange = { call, place, sender, withheld };
    const work: Work = {
      job,
      name: 'call:asyncapi',
      effect,
      timeoutMs: call.direction === 'publish' ? ports.callTimeoutMs : Math.min(forMs, ports.subscriptionTimeoutMs) + AROUND_MS,
      request: { server: url, address: place.address, direction: call.direction, ...(call.direction === 'publish' ? { payload: call.message.payload } : {}) },
      attributes: {},
      taint: [`asyncapi:${place.server.replace(/^\w+:\/\//, '')}`],
      send: (sending) => send(ports, job, ready, effect, sending),
    };
    return { on: { action: 'asyncapi', url, method: call.direction, effect }, made: { ok: true, work } };
  };
}

async function placeOf(resources: Resources, job: Job, call: AsyncApiCall): Promise<AsyncApiPlace | { readonly failure: Failure }> {
  const text = await resources.textOf(job, call.document);
  if (!text.ok) return text;
  const place = asyncApiPlace(documentIn(text.text), call);
  const unusable = (code: 'not-configured' | 'input-invalid', problem: string): { readonly failure: Failure } => ({
    failure: rejection(code, `Expected ${call.document.uri} to say where the message goes but ${problem}.`),
  });
  if (typeof place === 'string') return unusable('input-invalid', place);
  if (place.protocol !== 'kafka' && place.protocol !== 'http') return unusable('not-configured', `its server speaks ${place.protocol || 'no protocol'}, and only kafka and http are spoken here`);
  return place;
}

function documentIn(text: string): Json {
  try {
    return foreignYaml(text);
  } catch {
    return null;
  }
}

async function send(ports: AsyncApiPorts, job: Job, ready: ReadyExchange, effect: EffectClass, sending: Sending): Promise<Sent> {
  const leftMs = (): number => Math.floor(sending.untilMs - performance.now());
  const { call, place, sender, withheld } = ready;
  if (leftMs() <= 0 || sending.halted?.aborted) return notMade(rejection('timeout', 'Expected to send before the deadline but it has passed.', { retryable: true }));
  if (call.direction === 'publish') {
    if (place.protocol === 'kafka') return publishToKafka(ports.egress, job, ready);
    const credentials = await credentialHeaders(ports, job, call.authentication, { sender, withheld, timeoutMs: leftMs() });
    if (!credentials.ok) return notMade(credentials.failure);
    return sending.halted?.aborted ? notMade(STOPPED) : publishOverHttp(ports.egress, job, ready, effect, credentials.headers, leftMs());
  }
  const { forMs, amount } = call.subscription;
  const inbound = new InboundMessages(call.subscription, job.context?.deadlineMs ?? 0);
  const collecting = { forMs: Math.min(forMs ?? ports.subscriptionTimeoutMs, ports.subscriptionTimeoutMs, leftMs()), take: inbound.take, signal: sending.signal };
  const failure = place.protocol === 'kafka' ? await collectFromKafka(ports.egress, groupOf(job), ready, collecting) : await collectOverHttp(ports, job, ready, collecting);
  const fault = inbound.failure ?? failure;
  if (fault) return notMade(fault);
  // Who names a time takes what came in it; who names an amount only wants that many.
  if (amount !== undefined && forMs === undefined && inbound.messages.length < amount)
    return notMade(rejection('timeout', `Expected ${amount} messages within ${ports.subscriptionTimeoutMs} ms but ${inbound.messages.length} came.`));
  return { outcome: { kind: 'confirmed' }, answer: { output: inbound.messages as unknown as Json }, evidence: { messages: inbound.messages.length } };
}

const groupOf = ({ idempotencyKey }: Job): string => `weft-call-${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32)}`;

async function publishOverHttp(
  egress: EgressClient,
  job: Job,
  { call, place, sender }: ReadyExchange,
  effect: EffectClass,
  credentials: { readonly [name: string]: string },
  timeoutMs: number,
): Promise<Sent> {
  const answer = await egress.send({
    method: place.method || 'POST',
    url: `${place.server}${place.address}`,
    headers: { 'content-type': 'application/json', ...call.message.headers, ...identityHeaders(job), ...credentials },
    body: JSON.stringify(call.message.payload),
    sender,
    timeoutMs,
    mayRepeat: false,
  });
  const outcome = classifyHttp(effect, exchangeOf(answer));
  return { outcome, ...(outcome.kind === 'confirmed' ? { answer: { output: null } } : {}), ...(answer.kind === 'answered' ? { evidence: { status: answer.status } } : {}) };
}

interface Collecting {
  readonly forMs: number;
  readonly take: (message: { readonly value: Buffer; readonly headers: { readonly [name: string]: string } }) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a server sends as events, one message each. @returns why nothing could be collected. */
async function collectOverHttp(ports: AsyncApiPorts, job: Job, { call, place, sender, withheld }: ReadyExchange, { forMs, take, signal }: Collecting): Promise<Failure | undefined> {
  const credentials = await credentialHeaders(ports, job, call.authentication, { sender, withheld, timeoutMs: forMs });
  if (!credentials.ok) return credentials.failure;
  const url = `${place.server}${place.address}`;
  const answer = await ports.egress.stream({
    method: place.method || 'GET',
    url,
    headers: { accept: 'text/event-stream', ...credentials.headers },
    sender,
    timeoutMs: forMs,
    mayRepeat: true,
    ...(signal ? { signal } : {}),
  });
  const outcome = classifyHttp('read', answer.kind === 'streaming' ? { kind: 'answered', status: answer.status } : answer);
  if (answer.kind !== 'streaming') return outcome.kind === 'confirmed' ? undefined : outcome.failure;
  try {
    if (outcome.kind !== 'confirmed') return outcome.failure;
    if (!/^text\/event-stream\b/i.test(answer.headers['content-type'] ?? ''))
      return rejection('output-invalid', `Expected ${url} to send events but it answers with ${answer.headers['content-type'] ?? 'nothing that says what it is'}.`);
    for await (const data of serverSentData(answer.body)) if (take({ value: Buffer.from(data), headers: {} })) return undefined;
    return undefined;
  } catch (error) {
    if (!(error instanceof BodyCut)) throw error;
    // Its time is over: what came is what there is.
    return error.reason === 'timeout' ? undefined : rejection('unreachable', error.message, { retryable: true });
  } finally {
    answer.discard();
  }
}
