// The ToolWorkers service as promises, with the key on every call.
import { Client, credentials, Metadata, status, type CallOptions, type ServiceError } from '@grpc/grpc-js';
import { ToolWorkersService, type HeartbeatAnswer, type WorkerCalls, type WorkerHeartbeat, type WorkerPoll, type WorkerRegistration, type WorkerResults, type WorkerSession } from '@weft/contracts';

export interface Connection {
  register(registration: WorkerRegistration): Promise<WorkerSession>;
  /** @param waitMs how long the other side waits for calls. */
  poll(request: WorkerPoll, waitMs: number, signal: AbortSignal): Promise<WorkerCalls>;
  heartbeat(heartbeat: WorkerHeartbeat): Promise<HeartbeatAnswer>;
  complete(results: WorkerResults): Promise<void>;
  leave(sessionId: string): Promise<void>;
  close(): void;
}

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const CALL_MS = 10_000;

/** @param url `grpcs://host:port`, or `grpc://host:port` in clear. @param ca PEM of the authority that signed the server's certificate; default: those of the system. */
export function connect(url: string, key: string, ca?: Buffer): Connection {
  const [, scheme, address] = /^(grpcs?):\/\/([^/?#@]+:\d+)\/?$/.exec(url) ?? [];
  if (scheme === undefined || address === undefined) throw new TypeError(`Expected an address of the form grpcs://host:port or grpc://host:port but got ${JSON.stringify(url)}.`);
  const client = new Client(address, scheme === 'grpcs' ? credentials.createSsl(ca) : credentials.createInsecure(), {
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    // What came of a call is settled by its key, not by asking again under the hood.
    'grpc.enable_retries': 0,
  });
  const call = <Request, Reply>(
    method: { readonly path: string; readonly requestSerialize: (value: Request) => Buffer; readonly responseDeserialize: (bytes: Buffer) => Reply },
    request: Request,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${key}`);
      const options: CallOptions = { deadline: Date.now() + waitMs };
      const running = client.makeUnaryRequest(method.path, method.requestSerialize, method.responseDeserialize, request, metadata, options, (error, reply) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(error);
        else resolve(reply as Reply);
      });
      const cancel = (): void => running.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  return {
    register: (registration) => call(ToolWorkersService.register, registration, CALL_MS),
    poll: (request, waitMs, signal) => call(ToolWorkersService.poll, request, waitMs + CALL_MS, signal),
    heartbeat: (heartbeat) => call(ToolWorkersService.heartbeat, heartbeat, CALL_MS),
    complete: async (results) => void (await call(ToolWorkersService.complete, results, CALL_MS)),
    leave: async (sessionId) => void (await call(ToolWorkersService.leave, { sessionId }, CALL_MS)),
    close: () => client.close(),
  };
}

/** Whether the other side does not know the session: it was restarted, or it is another replica. */
export const isSessionLost = (error: unknown): boolean => codeOf(error) === status.NOT_FOUND;

/** Whether asking again cannot help: the key or the definitions are refused. */
export const isRefusal = (error: unknown): boolean => [status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.INVALID_ARGUMENT, status.UNIMPLEMENTED].includes(codeOf(error) as status);

const codeOf = (error: unknown): number | undefined => (error as Partial<ServiceError> | undefined)?.code;
