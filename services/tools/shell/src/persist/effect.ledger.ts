// The ledger as carrying out uses it: one command at a time about one key, committed in batches by the spine.
import { randomBytes } from 'node:crypto';
import type { Pool } from '@weft/adapter-postgres';
import { uuidv7, type Instant, type Rejection } from '@weft/kernel';
import { Lanes, StateCache, type Spine } from '@weft/pipeline';
import { effectDecider, type EffectCommand, type EffectEvent, type EffectState } from '@weft/tools/core';
import { effectStore } from './effect.store.js';
import { StoreClock } from './store-clock.js';

/** What the ledger knows after a command. `rejection`: the command was refused, the state stands. */
export interface LedgerAnswer {
  readonly state: EffectState;
  readonly rejection?: Rejection;
}

// Effects under way at once; a state that was dropped is loaded again.
const STATES_MAX = 4_096;

export class EffectLedger {
  readonly #cache = new StateCache<EffectState>(STATES_MAX);
  readonly #spine: Spine<EffectState, EffectCommand, EffectEvent, never>;
  readonly #lanes: Lanes<EffectState, EffectCommand, EffectEvent, never>;

  readonly #clock: StoreClock;

  /** @param pool of the engine role. @param onFault told of each fault that makes the ledger wait and try again. @param clock set by each load. */
  constructor(pool: Pool, onFault: (fault: unknown) => void, clock = new StoreClock()) {
    this.#clock = clock;
    this.#spine = {
      decider: effectDecider,
      store: effectStore(pool, clock),
      cache: this.#cache,
      clock,
      newCommitId: (now) => uuidv7(now, randomBytes(10)),
      publish: async () => undefined,
    };
    this.#lanes = new Lanes(this.#spine, { onFault });
  }

  /** Time of the store. */
  now(): Instant {
    return this.#clock.now();
  }

  /**
   * Decides and records; resolves once it is durable. A store that is away is waited out.
   * @throws Fault after `stop`; the fault of a decision that was set aside.
   */
  async ask(key: string, command: EffectCommand): Promise<LedgerAnswer> {
    const [outcome] = await this.#lanes.submit([{ key, command, messageId: 'token' in command ? command.token : key }]);
    if (outcome?.kind === 'setAside') throw outcome.fault;
    const state = this.#cache.get(key)?.state ?? (await this.look(key));
    return outcome?.kind === 'rejected' ? { state, rejection: outcome.rejection } : { state };
  }

  /** Lets go of what is kept in memory about an effect that is done with. */
  forget(key: string): void {
    this.#cache.drop(key);
  }

  /** Takes no more commands; resolves when those under way are durable. */
  stop(): Promise<void> {
    return this.#lanes.stop();
  }

  /** What is stored about an effect. @throws Fault of the store, and whatever makes a history unreadable. */
  async look(key: string): Promise<EffectState> {
    const events = (await this.#spine.store.load([key])).get(key)?.events ?? [];
    return events.reduce(effectDecider.evolve, effectDecider.initial);
  }
}
