// Generated service constants as types: what a peer looks like to its callers.
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Context } from '@weft/contracts';

/** The peer that a generated service constant describes; the same as `PeerOf` of its server interface. */
export type PeerOfDefinition<D> = {
  readonly [K in keyof D]: D[K] extends {
    readonly responseStream: infer IsStream;
    readonly requestSerialize: (request: infer Request) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => infer Reply;
  }
    ? IsStream extends true
      ? (request: Request, context: Context) => AsyncIterable<Reply>
      : (request: Request, context: Context) => Promise<Reply>
    : never;
};

/** Full name of a service, such as `weft.v1.Worker`, from the paths of its methods. */
export function serviceNameOf(definition: ServiceDefinition): string {
  const [first] = Object.values(definition);
  const name = first?.path.split('/')[1];
  if (name === undefined || name === '') throw new TypeError('a gRPC service has at least one method with a path of the form /package.Service/Method');
  return name;
}

/** Messages of up to 32 MiB both ways: a batch of 64 jobs with inputs of some hundred KiB. */
export const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;

/** A peer that went away without a word, or stands still, is noticed after about 9 seconds, and others are asked from then on. */
export const KEEPALIVE = {
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 4_000,
  'grpc.keepalive_permit_without_calls': 1,
} as const;
