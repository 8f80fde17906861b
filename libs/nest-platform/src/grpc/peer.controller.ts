// Binds a class that implements a generated service to Nest's gRPC transport.
import type { Metadata, ServerUnaryCall, ServerWritableStream, ServiceDefinition, StatusObject } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, RpcException } from '@nestjs/microservices';
import type { Context } from '@weft/contracts';
import { refuse, Refused } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { ATTRIBUTE, inSpan, streamInSpan, type SpanOptions } from '@weft/telemetry';
import { Observable } from 'rxjs';
import { statusOfRejection } from '../http/status.js';
import { logFor } from '../log/log.js';
import { tracerFor } from '../telemetry/start-telemetry.js';
import { serviceNameOf, type PeerOfDefinition } from './definition.js';
import { contextFromMetadata, rejectionToMetadata } from './metadata.js';

type Answer = (request: unknown, context: Context) => Promise<unknown>;
type Stream = (request: unknown, context: Context) => AsyncIterable<unknown>;
type Call = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

/**
 * Class decorator: the class answers a generated service over gRPC and stays callable in process as it is. Its methods
 * take (request, context) and answer with a promise, or with an async iterable where the service streams.
 * A `Refused` travels as it is; a retryable `Fault` is answered as UNAVAILABLE; anything else as INTERNAL, with a line in the log.
 * A class may have a method `unavailable`: while it gives a reason, calls over gRPC are answered with UNAVAILABLE at once, so that
 * callers ask another replica. A call whose deadline has passed is refused with code `timeout` before the method runs.
 * @param service name for spans and log lines, such as `tools`.
 */
export function PeerController<D extends ServiceDefinition>(definition: D, service: string) {
  return <T extends new (...args: never[]) => PeerOfDefinition<D>>(target: T): void => {
    Controller()(target);
    const serviceName = serviceNameOf(definition);
    for (const [method, { responseStream }] of Object.entries(definition)) {
      // A method of its own beside the class's: in-process callers must not meet the wire's signature.
      const key = `${method}OverGrpc`;
      const bound = { service, serviceName, method };
      const descriptor: PropertyDescriptor = { value: responseStream ? streamHandler(bound) : unaryHandler(bound), writable: true, configurable: true, enumerable: false };
      Object.defineProperty(target.prototype, key, descriptor);
      GrpcMethod(serviceName, method)(target.prototype as object, key, descriptor as TypedPropertyDescriptor<unknown>);
    }
  };
}

interface Bound {
  readonly service: string;
  readonly serviceName: string;
  readonly method: string;
}

function unaryHandler(bound: Bound) {
  return async function (this: Record<string, Answer>, request: unknown, metadata: Metadata): Promise<unknown> {
    const context = contextFromMetadata(metadata);
    try {
      refuseLate(context);
      refuseUnavailable(this);
      return await inSpan(tracerFor(bound.service), spanName(bound), spanOptions(bound, context), (inside) => this[bound.method]!(request, inside));
    } catch (error) {
      throw toRpcException(bound, context, error);
    }
  };
}

function streamHandler(bound: Bound) {
  return function (this: Record<string, Stream>, request: unknown, metadata: Metadata, call: Call): Observable<unknown> {
    const context = contextFromMetadata(metadata);
    const replies = async function* (peer: Record<string, Stream>): AsyncGenerator<unknown, void, undefined> {
      try {
        refuseLate(context);
        refuseUnavailable(peer);
        yield* streamInSpan(tracerFor(bound.service), spanName(bound), spanOptions(bound, context), (inside) => peer[bound.method]!(request, inside));
      } catch (error) {
        throw toRpcException(bound, context, error);
      }
    };
    return observe(replies(this), call as ServerWritableStream<unknown, unknown>);
  };
}

/** An async iterable as an observable that pulls no faster than the connection takes: Nest itself buffers without bound. */
function observe(replies: AsyncGenerator<unknown, void, undefined>, call: ServerWritableStream<unknown, unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    const pump = async (): Promise<void> => {
      for await (const reply of replies) {
        if (subscriber.closed) return;
        subscriber.next(reply);
        if (call.writableNeedDrain) await drained(call);
      }
      subscriber.complete();
    };
    pump().catch((error: unknown) => subscriber.error(error));
    // The caller left or the stream ended: let the method clean up. Its own end is not waited for.
    return () => void replies.return().catch(() => undefined);
  });
}

function drained(call: ServerWritableStream<unknown, unknown>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      call.off('cancelled', done);
      resolve();
    };
    call.on('drain', done);
    call.on('cancelled', done);
  });
}

function refuseLate(context: Context): void {
  if (context.deadlineMs !== 0 && context.deadlineMs <= Date.now()) {
    refuse('timeout', `Expected a call before its deadline but it came ${Date.now() - context.deadlineMs} ms late.`);
  }
}

function refuseUnavailable(peer: object): void {
  const reason = 'unavailable' in peer && typeof peer.unavailable === 'function' ? (peer.unavailable as () => string | undefined)() : undefined;
  if (reason !== undefined) throw new Unavailable(reason);
}

/** What the class said itself: no error, and nothing to log for each call. */
class Unavailable extends Error {}

/** Makes the status that the wire carries from anything thrown; what nobody expects is logged here, with its context. */
function toRpcException(bound: Bound, context: Context, error: unknown): RpcException {
  if (error instanceof Refused) {
    const { rejection } = error;
    return withStatus({ code: statusOfRejection(rejection).grpc, details: rejection.message.slice(0, 500), metadata: rejectionToMetadata(rejection) });
  }
  if (error instanceof Unavailable) return withStatus({ code: status.UNAVAILABLE, details: error.message });
  logFor(bound.service).error(`${bound.serviceName}/${bound.method} met an error`, { context, error });
  if (error instanceof Fault && error.retryable) return withStatus({ code: status.UNAVAILABLE, details: 'A part of the service cannot be reached.' });
  return withStatus({ code: status.INTERNAL, details: 'The service met an internal error; it is in its log.' });
}

const withStatus = (object: Partial<StatusObject>): RpcException => new RpcException(object);

const spanName = ({ serviceName, method }: Bound): string => `${serviceName}/${method}`;

function spanOptions({ serviceName, method }: Bound, context: Context): SpanOptions {
  return { kind: 'server', context, attributes: { [ATTRIBUTE.rpcSystem]: 'grpc', [ATTRIBUTE.rpcService]: serviceName, [ATTRIBUTE.rpcMethod]: method } };
}
