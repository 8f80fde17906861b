// `call: asyncapi` made ready: a message over Kafka or HTTP, out or in, as the document says where.
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json } from '@weft/kernel';
import { asyncApiPlace, classifyHttp, identityHeaders, readAsyncApiCall, type AsyncApiCall, type AsyncApiPlace, type EffectClass, type Target } from '@weft/tools/core';
import { Gate } from '../carry-out/gate.js';
import { notMade, PAST_DEADLINE, STOPPED, type Sending, type Sent, type Work } from '../carry-out/work.js';
import { exchangeOf } from '../carry-out/send-http.js';
import type { EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import { foreignYaml } from '../resource/foreign-yaml.js';
import type { Withheld } from '../secret/withheld.js';
import { credentialHeaders, type CredentialPorts } from './call-credentials.js';
import { callSender, notMakeable, type CallMaker } from './call-making.js';
import { collect } from './asyncapi-subscription.js';
import { publishToKafka } from './kafka-exchange.js';
import type { Resources } from './resources.js';

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
/** Subscriptions of one process that collect at once. The others take their turn: what they miss meanwhile is there still where messages have a position. */
const SUBSCRIPTIONS_MAX = 256;

export function asyncApiCalls(ports: AsyncApiPorts): CallMaker {
  const subscriptions = new Gate(SUBSCRIPTIONS_MAX);
  return async (job, args, { withheld }) => {
    const read = readAsyncApiCall(args);
    const nowhere: Target = { action: 'asyncapi', url: '', method: '', effect: 'read' };
    if (!read.ok) return notMakeable(nowhere, read.failure);
    const call = read.value;
    const place = await placeOf(ports.resources, job, call);
    if ('failure' in place) return notMakeable({ ...nowhere, method: call.direction }, place.failure);
    const effect: EffectClass = call.direction === 'publish' ? 'non-idempotent-write' : 'read';
    const sender = callSender('call:asyncapi', job);
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
      ...(call.direction === 'subscribe' ? { waitingGate: subscriptions } : {}),
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
  if (leftMs() <= 0 || sending.halted?.aborted) return notMade(PAST_DEADLINE);
  if (call.direction === 'publish') {
    if (place.protocol === 'kafka') return publishToKafka(ports.egress, job, ready);
    const credentials = await credentialHeaders(ports, job, call.authentication, { sender, withheld, timeoutMs: leftMs() });
    if (!credentials.ok) return notMade(credentials.failure);
    return sending.halted?.aborted ? notMade(STOPPED) : publishOverHttp(ports.egress, job, ready, effect, credentials.headers, leftMs());
  }
  return collect(ports, job, ready, leftMs(), sending.signal);
}

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
