// All sources of this process: looked at from time to time, and found by name.
import type { Log } from '@weft/nest-platform';
import type { PinBook } from '../pin/pin-book.js';
import type { ToolEntry } from '../registry/tool-entry.js';
import { SourceTools, type SourceTerms } from './source-tools.js';
import type { ToolSource } from './tool-source.js';

// Decisions of another replica hold here within this time.
const PINS_MS = 1_000;
// What a source does not announce is found within this time, and before the next call.
const LIST_MS = 60_000;

export interface SourcesPorts {
  readonly pins: PinBook;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export class ToolSources {
  readonly #sources = new Map<string, SourceTools>();
  #timers: NodeJS.Timeout[] = [];

  constructor(private readonly ports: SourcesPorts) {}

  /** Adds a source; `start` begins to look at it, or `look` of what is given back. */
  add(source: ToolSource, terms: SourceTerms): SourceTools {
    const { pins, signal, log } = this.ports;
    pins.follow(source.name);
    const tools: SourceTools = new SourceTools(source, terms, pins, signal, () => log.info('a source offers other tools than before', { source: source.name, tools: tools.offered?.size ?? 0 }));
    this.#sources.set(source.name, tools);
    return tools;
  }

  get all(): readonly SourceTools[] {
    return [...this.#sources.values()];
  }

  /** The source that a tool's name begins with. */
  of(name: string): SourceTools | undefined {
    return this.#sources.get(name.slice(0, Math.max(0, name.indexOf('.'))));
  }

  find(name: string): ToolEntry | undefined {
    return this.of(name)?.find(name);
  }

  /** Names of the tools that may be called as they are now. */
  get names(): readonly string[] {
    return this.ports.pins.tools.filter((name) => this.find(name)?.kind === 'acting');
  }

  /** Reads the pins, then looks at every source in the background, again and again. */
  async start(): Promise<void> {
    await this.ports.pins.refresh();
    this.look();
    this.#timers = [setInterval(() => this.#refresh(), PINS_MS), setInterval(() => this.look(), LIST_MS)];
    for (const timer of this.#timers) timer.unref();
  }

  /** Begins to look at every source. */
  look(): void {
    for (const tools of this.#sources.values()) tools.look().catch((error: unknown) => this.ports.log.warn('a source could not be listed', { source: tools.source.name, error }));
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.allSettled(this.all.map((tools) => tools.close()));
    await this.ports.pins.stop();
  }

  #refresh(): void {
    this.ports.pins.refresh().catch((error: unknown) => this.ports.log.warn('the pins could not be read', { error }));
  }
}
