// The pins of this process's sources, as calls ask for them: from memory, written through the spine, read again so that what another replica decided holds here too.
import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from '@weft/adapter-postgres';
import { Refused, uuidv7 } from '@weft/kernel';
import { Lanes, StateCache, type Spine } from '@weft/pipeline';
import { initialPin, pinDecider, pinText, type PinCommand, type PinEvent, type PinnedDefinition, type PinState } from '@weft/tools/core';
import { pinStore, type PinStore } from '../persist/pin.store.js';
import { StoreClock } from '../persist/store-clock.js';

/** Digest of a definition: SHA-256 in hex. */
export const pinDigest = (definition: PinnedDefinition): string => createHash('sha256').update(pinText(definition)).digest('hex');

const STATES_MAX = 10_000;

export class PinBook {
  readonly #store: PinStore;
  readonly #cache = new StateCache<PinState>(STATES_MAX);
  readonly #lanes: Lanes<PinState, PinCommand, PinEvent, never>;
  readonly #sources = new Set<string>();
  #pins: ReadonlyMap<string, PinState> = new Map();

  /** @param pool of the engine role. @param onFault told of each fault that makes a decision wait and try again. */
  constructor(pool: Pool, onFault: (fault: unknown) => void) {
    const clock = new StoreClock();
    this.#store = pinStore(pool, (now) => clock.set(now));
    const spine: Spine<PinState, PinCommand, PinEvent, never> = {
      decider: pinDecider,
      store: this.#store,
      cache: this.#cache,
      clock,
      newCommitId: (now) => uuidv7(now, randomBytes(10)),
      publish: async () => undefined,
    };
    this.#lanes = new Lanes(spine, { onFault });
  }

  /** Pins of this source are read from now on. */
  follow(source: string): void {
    this.#sources.add(source);
  }

  /** What is known of a tool, as last read. */
  of(tool: string): PinState {
    return this.#pins.get(tool) ?? initialPin;
  }

  /** All tools that a source has ever offered, as last read. */
  get tools(): readonly string[] {
    return [...this.#pins.keys()];
  }

  /** Reads the pins again. @returns whether any has changed. @throws Fault when the store is away. */
  async refresh(): Promise<boolean> {
    if (this.#sources.size === 0) return false;
    const before = this.#pins;
    const pins = await this.#store.ofSources([...this.#sources]);
    this.#pins = pins;
    return before.size !== pins.size || [...pins].some(([tool, state]) => JSON.stringify(before.get(tool)) !== JSON.stringify(state));
  }

  /** Decides, durably, and reads again. @throws Refused `unknown-tool`, `tool-changed`; Fault after `stop`. */
  async ask(tool: string, command: PinCommand): Promise<PinState> {
    // Another replica may have decided since: what is stored is looked at, not what is remembered.
    this.#cache.drop(tool);
    const [outcome] = await this.#lanes.submit([{ key: tool, command, messageId: `${command.type} ${command.digest}` }]);
    if (outcome?.kind === 'setAside') throw outcome.fault;
    if (outcome?.kind === 'rejected') throw new Refused(outcome.rejection);
    await this.refresh();
    return this.of(tool);
  }

  /** Records what is offered now; says nothing where that is known. */
  async offer(definitions: ReadonlyMap<string, { readonly digest: string; readonly definition: PinnedDefinition }>): Promise<void> {
    const news = [...definitions].filter(([tool, { digest }]) => this.of(tool).offer?.digest !== digest);
    if (news.length === 0) return;
    for (const [tool] of news) this.#cache.drop(tool);
    await this.#lanes.submit(news.map(([tool, { digest, definition }]) => ({ key: tool, command: { type: 'OfferTool', digest, definition }, messageId: `OfferTool ${digest}` })));
    await this.refresh();
  }

  stop(): Promise<void> {
    return this.#lanes.stop();
  }
}
