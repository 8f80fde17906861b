// `call: grpc` made ready: the method as the document describes it, over a connection of its own.
import { Metadata } from '@grpc/grpc-js';
import { fromBinary, fromJson, toBinary, toJson, type DescMessage, type DescMethod, type FileRegistry, type JsonValue } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { classifyGrpc, identityHeaders, readGrpcCall, type EffectClass, type GrpcCall, type Target } from '@weft/tools/core';
import { notMade, PAST_DEADLINE, type ReadAnswer, type Sending, type Sent } from '../carry-out/work.js';
import type { EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import { GrpcConnection, type GrpcTarget } from '../grpc/grpc-connection.js';
import { protoRegistry } from '../grpc/proto-document.js';
import type { Withheld } from '../secret/withheld.js';
import { SourceUnavailable } from '../source/tool-source.js';
import { credentialHeaders, type CredentialPorts } from './call-credentials.js';
import { callSender, notMakeable, type CallMaker } from './call-making.js';
import type { Resources } from './resources.js';

export interface GrpcPorts extends CredentialPorts {
  readonly egress: EgressClient;
  readonly resources: Resources;
  readonly callTimeoutMs: number;
}

/** A call with its method found and its messages made. */
interface Ready {
  readonly call: GrpcCall;
  readonly method: DescMethod;
  readonly registry: FileRegistry;
  readonly requests: readonly Buffer[];
}

export function grpcCalls(ports: GrpcPorts): CallMaker {
  return async (job, args, { withheld }) => {
    const read = readGrpcCall(args);
    const on = (effect: EffectClass): Target => ({ action: 'grpc', url: read.ok ? `grpc://${read.value.target}` : '', method: read.ok ? `${read.value.service}/${read.value.method}` : '', effect });
    if (!read.ok) return notMakeable(on('read'), read.failure);
    const call = read.value;
    const text = await ports.resources.textOf(job, call.proto);
    if (!text.ok) return notMakeable(on('read'), text.failure);
    const ready = readyOf(call, text.text);
    if ('failure' in ready) return notMakeable(on('read'), ready.failure);
    const effect = effectOf(ready.method);
    return {
      on: on(effect),
      made: {
        ok: true,
        work: {
          job,
          name: 'call:grpc',
          effect,
          timeoutMs: ports.callTimeoutMs,
          request: { target: call.target, method: `${ready.method.parent.typeName}/${ready.method.name}`, message: call.message },
          attributes: {},
          taint: [`grpc:${call.target}`],
          send: (sending) => send(ports, job, ready, effect, withheld, sending),
        },
      },
    };
  };
}

function readyOf(call: GrpcCall, text: string): Ready | { readonly failure: Failure } {
  let registry: FileRegistry;
  try {
    registry = protoRegistry(text);
  } catch (error) {
    return { failure: rejection('not-configured', `Expected ${call.proto.uri} to be a .proto document that can be used but ${(error as Error).message}.`) };
  }
  const services = [...registry].flatMap((each) => (each.kind === 'service' ? [each] : []));
  const named = services.filter(({ typeName, name }) => typeName === call.service || name === call.service);
  const service = named.find(({ typeName }) => typeName === call.service) ?? (named.length === 1 ? named[0] : undefined);
  const method = service?.methods.find(({ name }) => name === call.method);
  if (!method) {
    const known = services.flatMap(({ typeName, methods }) => methods.map(({ name }) => `${typeName}/${name}`)).slice(0, 20);
    return { failure: rejection('input-invalid', `Expected a method of ${call.proto.uri} but ${call.service}/${call.method} is none. There are: ${known.join(', ') || 'none'}.`) };
  }
  try {
    return { call, method, registry, requests: messagesOf(call.message, method).map((message) => encoded(method.input, message, registry)) };
  } catch (error) {
    return { failure: rejection('input-invalid', `Expected arguments that ${method.input.typeName} can hold but ${(error as Error).message}.`) };
  }
}

/** What is streamed to the server stands in `messages`; a message that has a field of this name is sent alone. */
function messagesOf(message: JsonObject, method: DescMethod): readonly Json[] {
  const { messages } = message;
  const isStreamed = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  return isStreamed && Array.isArray(messages) && method.input.fields.every(({ jsonName }) => jsonName !== 'messages') ? (messages as readonly Json[]) : [message];
}

const encoded = (type: DescMessage, message: Json, registry: FileRegistry): Buffer => Buffer.from(toBinary(type, fromJson(type, message as JsonValue, { registry })));

/** What the document itself says of repeating it; most say nothing. Source: google/protobuf/descriptor.proto, MethodOptions. */
function effectOf({ idempotency }: DescMethod): EffectClass {
  if (idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return 'read';
  return idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT ? 'idempotent-write' : 'non-idempotent-write';
}

async function send(ports: GrpcPorts, job: Job, ready: Ready, effect: EffectClass, withheld: Withheld, sending: Sending): Promise<Sent> {
  const { call, method, requests } = ready;
  const leftMs = (): number => Math.floor(sending.untilMs - performance.now());
  const late = (): Sent => notMade(PAST_DEADLINE);
  if (leftMs() <= 0 || sending.halted?.aborted) return late();
  const target = await targetOf(ports.egress, job, call.target);
  const credentials = await credentialHeaders(ports, job, call.authentication, { sender: target.sender, withheld, timeoutMs: leftMs() });
  if (!credentials.ok) return notMade(credentials.failure);
  let connection: GrpcConnection;
  try {
    connection = await GrpcConnection.open(ports.egress, target, leftMs());
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    return notMade(rejection('unreachable', error.message, { retryable: true }));
  }
  try {
    if (leftMs() <= 0 || sending.halted?.aborted) return late();
    const result = await connection.gather(`/${method.parent.typeName}/${method.name}`, requests, metadataOf(job, sending, credentials.headers), Date.now() + leftMs());
    if (!result.ok) return { outcome: classifyGrpc(effect, result.code, result.details, 'failed') };
    return { outcome: { kind: 'confirmed' }, answer: answerOf(ready, result.messages) };
  } finally {
    connection.end();
  }
}

/** The operator's list says whether a server is spoken to under TLS: by `https://host:port` or by `http://host:port`. */
async function targetOf(egress: EgressClient, job: Job, target: string): Promise<GrpcTarget & { readonly sender: Sender }> {
  const sender = callSender('call:grpc', job);
  const tls = (await egress.addressesOf(`https://${target}`, sender)).ok;
  return { source: 'call: grpc', target, tls, sender };
}

function metadataOf(job: Job, { traceparent }: Sending, credentials: { readonly [name: string]: string }): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries({ ...identityHeaders(job), ...credentials, ...(traceparent === '' ? {} : { traceparent }) })) metadata.set(name, value);
  return metadata;
}

/** One message, or the list of those that were streamed. */
function answerOf({ method, registry }: Ready, messages: readonly Buffer[]): ReadAnswer {
  const unusable = (problem: string): ReadAnswer => ({ output: null, unusable: rejection('output-invalid', `Expected an answer that is a ${method.output.typeName} but ${problem}.`) });
  try {
    const values = messages.map((bytes) => toJson(method.output, fromBinary(method.output, bytes), { alwaysEmitImplicit: true, registry }) as Json);
    if (method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming') return { output: values };
    return values.length === 1 ? { output: values[0]! } : unusable(`there are ${values.length} of them`);
  } catch (error) {
    return unusable((error as Error).message);
  }
}
