// A state while events are folded into it: each part is copied once, however many events change it.
import { invariant } from '@weft/kernel';
import type { ActivationKey } from './execution.events.js';
import type { Activation, ExecutionState } from './execution.state.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Parts of the state that are records by id: what grows with the number of branches. */
type RecordName = 'activations' | 'branches' | 'jobs' | 'timers' | 'reviews' | 'approvals' | 'listens' | 'signals' | 'received' | 'generations' | 'attempts' | 'agents' | 'children';

type Entry<N extends RecordName> = NonNullable<ExecutionState[N]> extends Readonly<Record<string, infer T>> ? T : never;

export class ExecutionDraft {
  readonly #state: Mutable<ExecutionState>;
  readonly #owned = new Set<RecordName>();

  constructor(from: ExecutionState) {
    this.#state = { ...from };
  }

  /** The state so far. It changes with the draft: who keeps it stops drafting. */
  get state(): ExecutionState {
    return this.#state;
  }

  /** Replaces fields of the state. A record among them must not be changed by who hands it in. */
  set(fields: Partial<ExecutionState>): void {
    for (const name of Object.keys(fields)) this.#owned.delete(name as RecordName);
    Object.assign(this.#state, fields);
  }

  /** Takes fields out that a state need not have. */
  clear(...names: readonly ('held' | 'cancelling' | 'interrupted' | 'endedAt' | 'error' | 'agents' | 'children' | 'origins')[]): void {
    for (const name of names) {
      delete this.#state[name];
      this.#owned.delete(name as RecordName);
    }
  }

  put<N extends RecordName>(name: N, key: string, entry: Entry<N>): void {
    this.#own(name)[key] = entry;
  }

  remove(name: RecordName, key: string): void {
    if (key in (this.#state[name] ?? {})) delete this.#own(name)[key];
  }

  /** Removes the entries that a condition picks. */
  removeWhere<N extends RecordName>(name: N, isGone: (entry: Entry<N>) => boolean): void {
    for (const [key, entry] of Object.entries(this.#state[name] ?? {})) if (isGone(entry as Entry<N>)) this.remove(name, key);
  }

  activation(key: ActivationKey): Activation {
    const found = this.#state.activations[key];
    invariant(found, `no activation ${key || '(root)'} in execution ${this.#state.executionId}`);
    return found;
  }

  /** Changes some fields of an activation. */
  change(key: ActivationKey, fields: Partial<Activation>): void {
    this.put('activations', key, { ...this.activation(key), ...fields });
  }

  #own<N extends RecordName>(name: N): Record<string, Entry<N>> {
    if (!this.#owned.has(name)) {
      (this.#state as Record<RecordName, unknown>)[name] = { ...this.#state[name] };
      this.#owned.add(name);
    }
    return this.#state[name] as Record<string, Entry<N>>;
  }
}
