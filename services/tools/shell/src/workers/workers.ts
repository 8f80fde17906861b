// Everything about workers in one process of tools: the hub, the door, and the sources that they serve.
import type { Pool } from '@weft/adapter-postgres';
import type { Log } from '@weft/nest-platform';
import { standingOf } from '@weft/tools/core';
import type { PinBook } from '../pin/pin-book.js';
import { listen, type Listening } from '../persist/notifications.js';
import { CALLS_CHANNEL, RESULTS_CHANNEL, WorkerCallStore } from '../persist/worker-call.store.js';
import { TOOLS_CHANNEL, WorkerToolStore } from '../persist/worker-tool.store.js';
import type { Secrets } from '../secret/secrets.js';
import type { WorkerDeclaration } from '../source/source-declaration.js';
import type { ToolSources } from '../source/tool-sources.js';
import { WorkerDoor, type Admission, type DoorOptions } from './worker-door.js';
import { WorkerHub } from './worker-hub.js';
import { opens } from './worker-key.js';
import { offeredOf, WorkerSource } from './worker-source.js';
import type { WorkerToolDefinition } from './worker-tool.js';

export interface WorkersPorts {
  /** Of the engine role. */
  readonly pool: Pool;
  readonly pins: PinBook;
  readonly secrets: Secrets;
  /** Without a sign of life for this long a worker counts as gone, milliseconds. */
  readonly leaseMs: number;
  readonly log: Log;
}

// Shorter than what middle boxes cut.
const POLL_MS = 20_000;
// Who accepts what the tools file trusts.
const TOOLS_FILE = 'tools file';

export class Workers {
  readonly #sources = new Map<string, { readonly source: WorkerSource; readonly declared: WorkerDeclaration }>();
  readonly #tools: WorkerToolStore;
  #open: { readonly door: WorkerDoor; readonly listening: Listening } | undefined;
  readonly #hub: WorkerHub;

  constructor(private readonly ports: WorkersPorts) {
    const { pool, leaseMs, log } = ports;
    this.#tools = new WorkerToolStore(pool);
    this.#hub = new WorkerHub({ store: new WorkerCallStore(pool), leaseMs, pollMs: POLL_MS, log });
  }

  /** A source that workers with its key serve. */
  source(name: string, declared: WorkerDeclaration): WorkerSource {
    const source = new WorkerSource({ name, tenants: declared.tenants, hub: this.#hub, store: this.#tools });
    this.#sources.set(name, { source, declared });
    return source;
  }

  /** Lets workers in, if there is a source for them. @returns the port, or undefined when nothing is open. @throws when the address cannot be listened on. */
  async start(sources: ToolSources, options: DoorOptions): Promise<number | undefined> {
    if (this.#sources.size === 0) return undefined;
    const { pool, secrets, leaseMs, log } = this.ports;
    const door = new WorkerDoor({
      hub: this.#hub,
      opens: (source, authorization) => opens(authorization, this.#sources.get(source)?.declared.keys.map(({ secret }) => secret) ?? [], secrets),
      admit: (source, worker, tools) => this.#admit(sources, source, worker, tools),
      leaseMs,
      pollMs: POLL_MS,
      log,
    });
    const port = await door.open(options);
    const listening = listen(pool, [CALLS_CHANNEL, RESULTS_CHANNEL, TOOLS_CHANNEL], (channel, payload) => this.#hear(channel, payload));
    this.#hub.start();
    this.#open = { door, listening };
    log.info('workers may connect', { address: options.address, port, sources: [...this.#sources.keys()], tls: options.tls !== undefined });
    return port;
  }

  async stop(): Promise<void> {
    await this.#open?.door.close();
    await this.#open?.listening.close();
    this.#open = undefined;
  }

  async #admit(sources: ToolSources, name: string, worker: string, tools: readonly WorkerToolDefinition[]): Promise<readonly Admission[]> {
    const { pins } = this.ports;
    const { source, declared } = this.#sources.get(name)!;
    await this.#tools.keep(name, worker, tools);
    const registry = sources.of(`${name}.`);
    await registry?.look();
    return Promise.all(
      tools.map(async (tool) => {
        const whole = `${name}.${tool.name}`;
        const digest = source.digestOf(offeredOf(tool));
        const isTrusted = declared.trust[tool.name] === digest;
        if (isTrusted && standingOf(pins.of(whole), digest) === 'quarantined') await pins.ask(whole, { type: 'AcceptTool', digest, by: TOOLS_FILE, reason: 'the tools file trusts this definition' });
        return { name: whole, digest, state: standingOf(pins.of(whole), digest) };
      }),
    );
  }

  #hear(channel: string, payload: string): void {
    if (channel === CALLS_CHANNEL) return this.#hub.hearCalls(payload);
    if (channel === RESULTS_CHANNEL) return this.#hub.hearResult(payload);
    for (const [name, { source }] of this.#sources) if (payload === '' || payload === name) source.changed();
  }
}
