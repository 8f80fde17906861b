// `call: a2a` made ready: one JSON-RPC request over HTTP to the agent that the document or its card names.
import { createHash } from 'node:crypto';
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json } from '@weft/kernel';
import { classifyHttp, identityHeaders, jsonRpcUrl, readA2aCall, rpcAnswer, type A2aCall, type Target } from '@weft/tools/core';
import { contentOf } from '../carry-out/answer-content.js';
import { exchangeOf } from '../carry-out/send-http.js';
import { notMade, STOPPED, type Sending, type Sent } from '../carry-out/work.js';
import type { EgressClient, EgressStream, EgressStreamRequest } from '../egress/egress-client.js';
import type { Withheld } from '../secret/withheld.js';
import { BodyCut } from '../egress/egress-exchange.js';
import { credentialHeaders, type CredentialPorts } from './call-credentials.js';
import { callSender, notMakeable, type CallMaker } from './call-making.js';
import type { Resources } from './resources.js';
import { serverSentData } from './server-sent-events.js';

export interface A2aPorts extends CredentialPorts {
  readonly egress: EgressClient;
  readonly resources: Resources;
  /** Agents take their time. */
  readonly agentTimeoutMs: number;
}

/** Results of one stream. */
const RESULTS_MAX = 10_000;
const STREAM_BYTES_MAX = 4 * 1024 * 1024;

export function a2aCalls(ports: A2aPorts): CallMaker {
  return async (job, args, { withheld }) => {
    const read = readA2aCall(args, () => messageIdOf(job));
    const nowhere: Target = { action: 'a2a', url: '', method: '', effect: 'read' };
    if (!read.ok) return notMakeable(nowhere, read.failure);
    const call = read.value;
    const found = 'url' in call.agent ? { ok: true as const, url: call.agent.url } : await urlOfCard(ports.resources, job, call.agent.card);
    if (!found.ok) return notMakeable({ ...nowhere, method: call.method }, found.failure);
    const { url } = found;
    const { method, effect } = call;
    return {
      on: { action: 'a2a', url, method, effect },
      made: {
        ok: true,
        work: {
          job,
          name: 'call:a2a',
          effect,
          timeoutMs: ports.agentTimeoutMs,
          request: { agent: url, method, parameters: call.parameters },
          attributes: {},
          taint: [`a2a:${new URL(url).host}`],
          send: (sending) => send(ports, job, call, { url, withheld }, sending),
        },
      },
    };
  };
}

/** The same for every attempt: an agent that looks at it knows the message again. Source: RFC 9562, 5.8 (version 8). */
function messageIdOf({ idempotencyKey }: Job): string {
  const hex = createHash('sha256').update(idempotencyKey).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

async function urlOfCard(
  resources: Resources,
  job: Job,
  card: { readonly uri: string; readonly digest?: string },
): Promise<{ readonly ok: true; readonly url: string } | { readonly ok: false; readonly failure: Failure }> {
  const text = await resources.textOf(job, card);
  if (!text.ok) return text;
  const url = jsonRpcUrl(jsonOf(text.text) ?? null);
  return url === undefined ? { ok: false, failure: rejection('not-configured', `Expected the agent card ${card.uri} to name a URL that speaks JSON-RPC but it names none.`) } : { ok: true, url };
}

async function send(
  ports: A2aPorts,
  job: Job,
  { method, parameters, effect, isStreamed, authentication }: A2aCall,
  { url, withheld }: { readonly url: string; readonly withheld: Withheld },
  { untilMs, traceparent, signal, halted }: Sending,
): Promise<Sent> {
  const { egress } = ports;
  const sender = callSender('call:a2a', job);
  const credentials = await credentialHeaders(ports, job, authentication, { sender, withheld, timeoutMs: Math.floor(untilMs - performance.now()) });
  if (!credentials.ok) return notMade(credentials.failure);
  if (halted?.aborted) return notMade(STOPPED);
  const request: EgressStreamRequest = {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      accept: isStreamed ? 'text/event-stream' : 'application/json',
      ...identityHeaders(job),
      ...credentials.headers,
      ...(traceparent === '' ? {} : { traceparent }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: parameters }),
    sender,
    timeoutMs: Math.floor(untilMs - performance.now()),
    mayRepeat: effect !== 'non-idempotent-write',
    bytesMax: STREAM_BYTES_MAX,
    ...(signal === undefined ? {} : { signal }),
  };
  if (!isStreamed) return sentWhole(egress, request, effect);
  const answer = await egress.stream(request);
  if (answer.kind !== 'streaming') return { outcome: classifyHttp(effect, answer) };
  const evidence = { status: answer.status };
  const outcome = classifyHttp(effect, { kind: 'answered', status: answer.status });
  if (outcome.kind !== 'confirmed') {
    answer.discard();
    return { outcome, evidence };
  }
  return { ...(await gathered(answer, effect)), evidence };
}

async function sentWhole(egress: EgressClient, request: EgressStreamRequest, effect: A2aCall['effect']): Promise<Sent> {
  const answer = await egress.send(request);
  const outcome = classifyHttp(effect, exchangeOf(answer));
  if (answer.kind !== 'answered') return { outcome };
  const evidence = { status: answer.status };
  if (outcome.kind !== 'confirmed') return { outcome, evidence };
  const reading = contentOf(answer);
  return { ...(reading.ok ? sentOf(typeof reading.content === 'string' ? (jsonOf(reading.content) ?? null) : reading.content) : unusable(reading.problem)), evidence };
}

/** All results of a stream, in order. One that breaks off may have been carried out all the same. */
async function gathered(answer: EgressStream, effect: A2aCall['effect']): Promise<Sent> {
  // An agent that cannot stream, or fails before it does, answers whole.
  const isStream = /^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '');
  const results: Json[] = [];
  try {
    for await (const data of isStream ? serverSentData(answer.body) : wholeText(answer.body)) {
      const one = rpcAnswer(jsonOf(data) ?? null);
      if (!one.ok) return sentOf(jsonOf(data) ?? null);
      if (results.push(one.result) > RESULTS_MAX) return unusable(`it streams more than ${RESULTS_MAX} results`);
    }
  } catch (error) {
    if (!(error instanceof BodyCut)) throw error;
    return { outcome: classifyHttp(effect, { kind: 'lost', reason: error.reason === 'timeout' ? 'timeout' : 'cut', message: error.message }) };
  } finally {
    answer.discard();
  }
  return { outcome: { kind: 'confirmed' }, answer: { output: results } };
}

async function* wholeText(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  yield Buffer.concat(all).toString('utf8');
}

/** An error of JSON-RPC is the agent's own word that it has not done it. */
function sentOf(content: Json): Sent {
  const answer = rpcAnswer(content);
  if (answer.ok) return { outcome: { kind: 'confirmed' }, answer: { output: answer.result } };
  if (answer.isError) return { outcome: { kind: 'failed', failure: rejection('tool-failed', `Expected a result but ${answer.problem}.`) } };
  return unusable(answer.problem);
}

const unusable = (problem: string): Sent => ({
  outcome: { kind: 'confirmed' },
  answer: { output: null, unusable: rejection('output-invalid', `Expected an answer that can be used but ${problem}.`) },
});

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
