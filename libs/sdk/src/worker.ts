// A worker: registers its tools, asks for calls, carries them out, hands back what came of them.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerCall, WorkerRegistration, WorkerResult, WorkerSession, WorkerToolState } from '@weft/contracts';
import { retryDelayMs, type RetryPolicy } from '@weft/kernel';
import { connect, isRefusal, isSessionLost, type Connection } from './connection.js';
import { TIMEOUT_MS, type Tool } from './define-tool.js';
import { runCall } from './run-call.js';
import { schemaText } from './tool-schema.js';

/** What a worker tells about itself. */
export type WorkerEvent =
  | { readonly type: 'registered'; readonly tools: readonly WorkerToolState[] }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'draining'; readonly running: number }
  | { readonly type: 'stopped' };

export interface WorkerOptions {
  /** `grpcs://host:port`, or `grpc://host:port` in clear. */
  readonly url: string;
  /** The key of the source, as the operator of Weft set it. */
  readonly key: string;
  /** Name of the source in the tools file. */
  readonly source: string;
  readonly tools: readonly Tool[];
  /** Calls carried out at once. Default 16. */
  readonly concurrency?: number;
  /** Names the process in what people see. Default: host name and process id. */
  readonly name?: string;
  /** PEM of the authority that signed the server's certificate. Default: those of the system. */
  readonly ca?: Buffer;
  /** How long calls under way may take after the worker was told to stop; then they are aborted. Default 30,000. */
  readonly drainMs?: number;
  /** Signals that stop the worker. Default SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  readonly onEvent?: (event: WorkerEvent) => void;
}

export interface Worker {
  /** Resolves when it has stopped. Rejects when it is refused: a wrong key, definitions that cannot be used. */
  readonly done: Promise<void>;
  /** Takes no more calls, ends those under way, leaves. */
  stop(): Promise<void>;
}

const RECONNECT: RetryPolicy = { retriesMax: 0, delayMs: 100, backoff: 'exponential', delayMaxMs: 5_000, jitter: { fromMs: 0, toMs: 100 } };
const CONCURRENCY = 16;
const DRAIN_MS = 30_000;
const ABORTED_MS = 2_000;
// A result is offered until the attempt that it belongs to is long over for everybody.
const RESULT_TRIES = 8;
const SDK_VERSION = '0.1.0';

/** Starts a worker. It runs until it is stopped, and connects again by itself. */
export function runWorker(options: WorkerOptions): Worker {
  const running = new RunningWorker(options);
  const stop = (): Promise<void> => running.stop();
  const signals = options.signals ?? ['SIGTERM', 'SIGINT'];
  const onSignal = (): void => void stop();
  for (const signal of signals) process.once(signal, onSignal);
  const done = running.run().finally(() => {
    for (const signal of signals) process.off(signal, onSignal);
  });
  return { done, stop: async () => (await stop(), done) };
}

class RunningWorker {
  readonly #connection: Connection;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #concurrency: number;
  readonly #running = new Map<string, AbortController>();
  /** Aborted when no more calls are to be taken. */
  readonly #draining = new AbortController();
  /** Aborted when the poll that waits is not to be answered any more. */
  readonly #polling = new AbortController();
  readonly #work = new Set<Promise<void>>();
  #session: WorkerSession | undefined;
  #freed = Promise.withResolvers<void>();

  constructor(private readonly options: WorkerOptions) {
    if (new Set(options.tools.map(({ options: { name } }) => name)).size < options.tools.length) throw new TypeError('Expected tools with names of their own but two have the same.');
    this.#connection = connect(options.url, options.key, options.ca);
    this.#tools = new Map(options.tools.map((tool) => [tool.options.name, tool]));
    this.#concurrency = options.concurrency ?? CONCURRENCY;
  }

  async run(): Promise<void> {
    const beat = new AbortController();
    const heartbeats = this.#heartbeats(beat.signal);
    try {
      await this.#ask();
      await this.#drained();
      await this.#leave();
    } finally {
      beat.abort();
      await heartbeats;
      this.#connection.close();
      this.#tell({ type: 'stopped' });
    }
  }

  async stop(): Promise<void> {
    if (this.#draining.signal.aborted) return;
    this.#tell({ type: 'draining', running: this.#running.size });
    this.#draining.abort();
    this.#freed.resolve();
    // The other side ends the poll: what it has handed over until then is carried out.
    if (!(await this.#leave())) this.#polling.abort();
  }

  async #leave(): Promise<boolean> {
    if (!this.#session) return false;
    return this.#connection.leave(this.#session.sessionId).then(
      () => true,
      () => false,
    );
  }

  /** Asks for calls until it is told to stop. @throws what refuses it for good. */
  async #ask(): Promise<void> {
    const { signal } = this.#draining;
    let failures = 0;
    while (!signal.aborted) {
      try {
        this.#session ??= await this.#register();
        const { sessionId, pollMs } = this.#session;
        const free = this.#concurrency - this.#running.size;
        if (free <= 0) {
          await this.#freed.promise;
          continue;
        }
        const { calls } = await this.#connection.poll({ sessionId, callsMax: free }, pollMs, this.#polling.signal);
        failures = 0;
        for (const call of calls) this.#begin(call);
      } catch (error) {
        if (signal.aborted) return;
        if (isSessionLost(error)) {
          this.#session = undefined;
          continue;
        }
        if (isRefusal(error)) throw error;
        this.#tell({ type: 'disconnected', reason: (error as Error).message });
        await pause(retryDelayMs(RECONNECT, ++failures, Math.random()), signal);
      }
    }
  }

  async #register(): Promise<WorkerSession> {
    const session = await this.#connection.register(registrationOf(this.options));
    this.#tell({ type: 'registered', tools: session.tools });
    // Who waits elsewhere for what is under way hears at once that it is not lost.
    if (this.#running.size > 0) await this.#connection.heartbeat({ sessionId: session.sessionId, callIds: [...this.#running.keys()] });
    return session;
  }

  #begin(call: WorkerCall): void {
    const abort = new AbortController();
    this.#running.set(call.id, abort);
    const deadline = setTimeout(() => abort.abort(new Error('the attempt is over')), call.timeLeftMs);
    const work = runCall(this.#tools.get(call.tool), call, abort.signal, Date.now()).then(async (result) => {
      clearTimeout(deadline);
      // It stays among those that heartbeats name until its result is taken.
      await this.#handBack(result);
      this.#running.delete(call.id);
      this.#freed.resolve();
      this.#freed = Promise.withResolvers();
    });
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  async #handBack(result: WorkerResult): Promise<void> {
    for (let attempt = 1; attempt <= RESULT_TRIES; attempt++) {
      try {
        await this.#connection.complete({ sessionId: this.#session?.sessionId ?? '', results: [result] });
        return;
      } catch (error) {
        if (isRefusal(error)) return;
        await sleep(retryDelayMs(RECONNECT, attempt, Math.random()));
      }
    }
  }

  async #heartbeats(signal: AbortSignal): Promise<void> {
    while (await pause((this.#session?.leaseMs ?? 3_000) / 3, signal)) {
      const session = this.#session;
      if (!session) continue;
      try {
        const { cancelledCallIds } = await this.#connection.heartbeat({ sessionId: session.sessionId, callIds: [...this.#running.keys()] });
        for (const id of cancelledCallIds) this.#running.get(id)?.abort(new Error('nobody waits for it any more'));
      } catch (error) {
        if (isSessionLost(error) && this.#session === session) this.#session = undefined;
      }
    }
  }

  /** Ends what is under way. What takes longer than allowed is aborted; what does not even heed that is left as it is. */
  async #drained(): Promise<void> {
    const all = async (): Promise<void> => {
      while (this.#work.size > 0) await Promise.allSettled(this.#work);
    };
    const ended = all();
    if (await endsWithin(ended, this.options.drainMs ?? DRAIN_MS)) return;
    for (const running of this.#running.values()) running.abort(new Error('the worker has to go'));
    await endsWithin(ended, ABORTED_MS);
  }

  #tell(event: WorkerEvent): void {
    this.options.onEvent?.(event);
  }
}

function registrationOf({ source, tools, name }: WorkerOptions): WorkerRegistration {
  return {
    source,
    worker: name ?? `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    sdkVersion: SDK_VERSION,
    tools: tools.map(({ options }) => ({
      name: options.name,
      description: options.description,
      inputSchemaJson: schemaText(options.input, 'input'),
      outputSchemaJson: options.output === undefined ? '' : schemaText(options.output, 'output'),
      effect: options.effect,
      hasReconcile: options.reconcile !== undefined,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      concurrency: options.concurrency ?? 0,
    })),
  };
}

/** @returns false when aborted meanwhile. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  const late = new AbortController();
  const ended = await Promise.race([work.then(() => true), pause(ms, late.signal).then(() => false)]);
  late.abort();
  return ended;
}
