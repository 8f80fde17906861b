// Calls a generated service over gRPC through the same interface as in process.
import { Client, credentials, Metadata, status, type CallOptions, type MethodDefinition, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js';
import type { Context } from '@weft/contracts';
import { isIPv4 } from 'node:net';
import { Refused } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { ATTRIBUTE, inSpan, streamInSpan, type SpanOptions } from '@weft/telemetry';
import { tracerFor } from '../telemetry/start-telemetry.js';
import { KEEPALIVE, MESSAGE_BYTES_MAX, serviceNameOf, type PeerOfDefinition } from './definition.js';
import { contextToMetadata, rejectionFromMetadata } from './metadata.js';
import type { TlsKeys } from './server-options.js';

export interface GrpcPeerOptions {
  /** Time for one call that answers once, in milliseconds. The context's deadline counts when it is earlier. Default 10,000. */
  readonly deadlineMs?: number;
  /** Time for one call that answers with a stream, in milliseconds. Default 60,000. */
  readonly streamDeadlineMs?: number;
  /** Without it a call waits for the replica that it went to. */
  readonly askAnother?: AskAnother;
  /** Who calls, for spans. Without it calls make no spans of their own. */
  readonly service?: string;
  readonly tls?: TlsKeys | undefined;
}

/**
 * Several replicas answer at the address: a call is asked of another one when the first does not answer, and at once when it
 * cannot be reached or says that it cannot do it now. The first answer counts.
 */
export interface AskAnother {
  /** Milliseconds without an answer. */
  readonly afterMs: number;
  /** Names of calls that answer once and that change nothing when they are made twice. */
  readonly calls: readonly string[];
}

/** A connection to a peer. It connects when first used and connects again by itself. */
export interface GrpcPeer<D> {
  readonly peer: PeerOfDefinition<D>;
  /** Resolves when the peer answers on the connection. @throws Fault (retryable) after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends the connection; calls under way fail with a retryable `Fault`. */
  close(): void;
}

/**
 * A peer over gRPC. Its calls throw `Refused` with the peer's own rejection, and `Fault` for everything else: retryable
 * when the peer cannot be reached, is overloaded, or did not answer in time.
 * @param generated the generated client constructor, such as `WorkerClient`.
 * @param address `host:port`; several IP addresses with ports, separated by commas; or any target of gRPC name resolution. Several
 * addresses are used in turn, as long as a connection to them stands.
 */
export function grpcPeer<D extends ServiceDefinition>(generated: { readonly service: D }, address: string, options: GrpcPeerOptions = {}): GrpcPeer<D> {
  const definition = generated.service;
  const { tls } = options;
  const client = new Client(targetOf(address), tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.ca, tls.key, tls.cert), {
    ...KEEPALIVE,
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }], ...(options.askAnother === undefined ? {} : { methodConfig: hedging(definition, options.askAnother) }) }),
  });
  const connection: Connection = { client, options, address, serviceName: serviceNameOf(definition) };
  const peer = Object.fromEntries(Object.entries(definition).map(([name, method]) => [name, method.responseStream ? streamCall(connection, name, method) : unaryCall(connection, name, method)]));
  return {
    peer: peer as unknown as PeerOfDefinition<D>,
    ready: (timeoutMs) =>
      new Promise((resolve, reject) => {
        client.waitForReady(Date.now() + timeoutMs, (error) =>
          error === undefined ? resolve() : reject(new Fault(`no peer ${connection.serviceName} answers at ${address}`, true, { cause: error })),
        );
      }),
    close: () => client.close(),
  };
}

/** A list of addresses in the form that gRPC takes. */
function targetOf(address: string): string {
  const addresses = address.split(',').map((each) => each.trim());
  if (addresses.length === 1) return addresses[0]!;
  if (addresses.every((each) => isIPv4(each.replace(/:\d+$/, '')))) return `ipv4:${addresses.join(',')}`;
  if (addresses.every((each) => /^\[.*\]:\d+$/.test(each))) return `ipv6:${addresses.join(',')}`;
  throw new TypeError(`Expected IP addresses with ports in a list of several, all of one kind, but got ${JSON.stringify(address)}. One DNS name may stand for all of them instead.`);
}

const ASKED_MAX = 3;

function hedging(definition: ServiceDefinition, { afterMs, calls }: AskAnother): readonly object[] {
  const service = serviceNameOf(definition);
  const hedgingPolicy = { maxAttempts: ASKED_MAX, hedgingDelay: `${afterMs / 1_000}s`, nonFatalStatusCodes: ['UNAVAILABLE'] };
  const methods = calls.map((call) => {
    const method = definition[call];
    if (method === undefined || method.responseStream) throw new TypeError(`Expected calls of ${service} that answer once but got ${JSON.stringify(call)}.`);
    return { service, method: method.path.split('/')[2] };
  });
  return [{ name: methods, hedgingPolicy }];
}

interface Connection {
  readonly client: Client;
  readonly options: GrpcPeerOptions;
  readonly address: string;
  readonly serviceName: string;
}

type Method = MethodDefinition<unknown, unknown>;

function unaryCall(connection: Connection, name: string, method: Method) {
  const { client, options } = connection;
  return (request: unknown, context: Context): Promise<unknown> =>
    inSpan(callerTracer(connection), spanName(connection, name), spanOptions(connection, name, context), (inside) => {
      return new Promise<unknown>((resolve, reject) => {
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          contextToMetadata(inside),
          callOptions(context, options.deadlineMs ?? 10_000),
          (error, reply) => {
            if (error !== null) reject(fromStatus(connection, name, error));
            else resolve(reply);
          },
        );
      });
    });
}

function streamCall(connection: Connection, name: string, method: Method) {
  const { client, options } = connection;
  return (request: unknown, context: Context): AsyncIterable<unknown> =>
    streamInSpan(callerTracer(connection), spanName(connection, name), spanOptions(connection, name, context), async function* (inside) {
      const call = client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        contextToMetadata(inside),
        callOptions(context, options.streamDeadlineMs ?? 60_000),
      );
      // The reader may leave while the cancellation below is on its way: its error has no other listener then.
      call.on('error', () => undefined);
      try {
        for await (const reply of call) yield reply as unknown;
      } catch (error) {
        throw fromStatus(connection, name, error as ServiceError);
      } finally {
        call.cancel();
      }
    });
}

function callOptions(context: Context, deadlineMs: number): CallOptions {
  const own = Date.now() + deadlineMs;
  return { deadline: context.deadlineMs === 0 ? own : Math.min(own, context.deadlineMs) };
}

// Nobody knows, or it was not done now: asking again makes sense. All calls of Weft are idempotent by state or key.
const RETRYABLE: ReadonlySet<number> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED, status.RESOURCE_EXHAUSTED, status.ABORTED]);

function fromStatus({ serviceName, address }: Connection, name: string, error: ServiceError): Refused | Fault {
  const rejection = rejectionFromMetadata(error.metadata instanceof Metadata ? error.metadata : undefined);
  if (rejection !== undefined) return new Refused(rejection);
  // A connection that is torn down in the middle of a call comes as INTERNAL from the HTTP/2 layer.
  const torn = error.code === status.INTERNAL && (error.details ?? '').includes('RST_STREAM');
  return new Fault(`${serviceName}/${name} at ${address} failed: ${status[error.code] ?? 'UNKNOWN'}: ${error.details ?? error.message}`, torn || RETRYABLE.has(error.code), { cause: error });
}

const callerTracer = ({ options }: Connection): ReturnType<typeof tracerFor> => (options.service === undefined ? undefined : tracerFor(options.service));

const spanName = ({ serviceName }: Connection, name: string): string => `${serviceName}/${name}`;

function spanOptions({ serviceName }: Connection, name: string, context: Context): SpanOptions {
  return { kind: 'client', context, attributes: { [ATTRIBUTE.rpcSystem]: 'grpc', [ATTRIBUTE.rpcService]: serviceName, [ATTRIBUTE.rpcMethod]: name } };
}
