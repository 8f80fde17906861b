// The door for workers: the ToolWorkers service alone, on an address of its own. Every call needs the key of its source.
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  ToolWorkersService,
  type WorkerCalls,
  type WorkerHeartbeat,
  type WorkerLeave,
  type WorkerPoll,
  type WorkerRegistration,
  type WorkerResults,
  type WorkerSession as WireSession,
} from '@weft/contracts';
import type { Log } from '@weft/nest-platform';
import type { WorkerHub } from './worker-hub.js';
import type { WorkerSession } from './worker-session.js';
import { readWorkerTools, type WorkerToolDefinition } from './worker-tool.js';

/** What becomes of a definition that a worker brings. */
export interface Admission {
  /** `source.tool`. */
  readonly name: string;
  readonly digest: string;
  readonly state: string;
}

export interface DoorPorts {
  readonly hub: WorkerHub;
  /** Whether the header opens the source. A source that nobody declared has no key. */
  readonly opens: (source: string, authorization: string | undefined) => boolean;
  /** Records what a worker brings and says which definitions may be called. In the order of the tools. */
  readonly admit: (source: string, worker: string, tools: readonly WorkerToolDefinition[]) => Promise<readonly Admission[]>;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly log: Log;
}

export interface DoorOptions {
  /** `host:port`. */
  readonly address: string;
  /** Paths of PEM files. Without them the connection is in clear. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const CALLS_MAX = 1_000;

/** A refusal as gRPC says it. */
class Refusal extends Error {
  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }
}

export class WorkerDoor {
  readonly #server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_concurrent_streams': 100,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
  });

  constructor(private readonly ports: DoorPorts) {
    this.#server.addService(ToolWorkersService as never, this.#handlers());
  }

  /** @returns the port that it listens on. @throws when the address cannot be listened on. */
  async open({ address, tls }: DoorOptions): Promise<number> {
    const credentials = tls ? ServerCredentials.createSsl(null, [{ cert_chain: readFileSync(tls.certFile), private_key: readFileSync(tls.keyFile) }]) : ServerCredentials.createInsecure();
    return new Promise((resolve, reject) => this.#server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))));
  }

  /** Answers what waits and takes no more. */
  async close(): Promise<void> {
    this.ports.hub.close();
    await new Promise<void>((resolve) => {
      // Results under way still come in.
      const timer = setTimeout(() => this.#server.forceShutdown(), 2_000);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #handlers(): UntypedServiceImplementation {
    return {
      register: this.#handled<WorkerRegistration, WireSession>((request, authorization) => this.#register(request, authorization)),
      poll: this.#handled<WorkerPoll, WorkerCalls>(async ({ sessionId, callsMax }, authorization, call) => {
        const session = this.#session(sessionId, authorization);
        call.on('cancelled', () => session.endPoll());
        const calls = await this.ports.hub.poll(session, Math.min(Math.max(1, callsMax), CALLS_MAX));
        if (call.cancelled) this.ports.hub.takeBack(session, calls);
        return { calls };
      }),
      heartbeat: this.#handled<WorkerHeartbeat, object>(async ({ sessionId, callIds }, authorization) => {
        const session = this.#session(sessionId, authorization);
        return { cancelledCallIds: [...(await this.ports.hub.heartbeat(session, idsOf(callIds)))] };
      }),
      complete: this.#handled<WorkerResults, object>(async ({ sessionId, results }, authorization) => {
        const session = this.#session(sessionId, authorization);
        idsOf(results.map(({ callId }) => callId));
        await this.ports.hub.complete(session.source, results);
        return {};
      }),
      leave: this.#handled<WorkerLeave, object>(async ({ sessionId }, authorization) => {
        this.ports.hub.leave(this.#session(sessionId, authorization));
        return {};
      }),
    };
  }

  async #register({ source, worker, tools }: WorkerRegistration, authorization: string | undefined): Promise<WireSession> {
    if (!this.ports.opens(source, authorization)) throw new Refusal(status.UNAUTHENTICATED, `Expected the key of source ${JSON.stringify(source.slice(0, 100))} but got none that opens it.`);
    const read = readWorkerTools(tools);
    if (!read.ok) throw new Refusal(status.INVALID_ARGUMENT, `Expected tools that can be used but: ${read.problems.join('; ')}.`.slice(0, 4_000));
    const name = worker.slice(0, 200);
    const admissions = await this.ports.admit(source, name, read.tools);
    const brought = new Map(read.tools.map((tool, index) => [tool.name, { digest: admissions[index]!.digest, concurrency: tool.concurrency }]));
    const session = this.ports.hub.register(source, name, brought);
    this.ports.log.info('a worker is there', { source, worker: name, tools: read.tools.length });
    return { sessionId: session.id, leaseMs: this.ports.leaseMs, pollMs: this.ports.pollMs, tools: admissions.map(({ name, digest, state }) => ({ name, digest, state })) };
  }

  /** The session, if the key opens its source. Who may not know whether a session exists learns nothing. */
  #session(id: string, authorization: string | undefined): WorkerSession {
    const session = this.ports.hub.sessions().find((each) => each.id === id);
    if (!session) throw new Refusal(status.NOT_FOUND, 'Expected a session that is open here but it is not: register again.');
    if (!this.ports.opens(session.source, authorization)) throw new Refusal(status.UNAUTHENTICATED, 'Expected the key of the source that the session is for.');
    return session;
  }

  #handled<Request, Reply>(answer: (request: Request, authorization: string | undefined, call: ServerUnaryCall<Request, Reply>) => Promise<Reply>) {
    return (call: ServerUnaryCall<Request, Reply>, reply: sendUnaryData<Reply>): void => {
      const [authorization] = call.metadata.get('authorization');
      answer(call.request, typeof authorization === 'string' ? authorization : undefined, call).then(
        (value) => reply(null, value),
        (error: unknown) => {
          if (error instanceof Refusal) return reply({ code: error.code, details: error.message });
          this.ports.log.error('a call of a worker met an error', { error });
          // Nothing of it is for outsiders.
          reply({ code: status.UNAVAILABLE, details: 'It could not be done now.' });
        },
      );
    };
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function idsOf(ids: readonly string[]): readonly string[] {
  if (ids.length > CALLS_MAX || !ids.every((id) => UUID.test(id))) throw new Refusal(status.INVALID_ARGUMENT, `Expected at most ${CALLS_MAX} ids of calls as they were handed out.`);
  return ids;
}
