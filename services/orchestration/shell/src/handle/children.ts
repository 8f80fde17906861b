// What a start by another execution needs besides history: the definition that it names, and an answer when it comes again.
import { endedAgain, foldExecution, initialExecution, isEnded, type CommandOf, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import type { Bus, StoredHistory } from '@weft/pipeline';
import type { DefinitionStore } from '../persist/definition-store.js';
import type { ExecutionStore } from '../persist/execution-store.js';
import { publishAnnouncements } from '../publish/announcer.js';

type Start = CommandOf<'StartExecution'>;

export class Children {
  constructor(
    private readonly definitions: DefinitionStore,
    private readonly store: Pick<ExecutionStore, 'load'>,
    private readonly bus: Bus,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {}

  /** The starts with the digests of what they name, as of now; the first that is decided stands. What is not deployed keeps an empty digest. */
  async resolved(starts: readonly Start[]): Promise<readonly Start[]> {
    if (starts.length === 0) return starts;
    const found = await this.definitions.resolveAll(starts.map(({ context, definition }) => ({ tenant: context.tenant, ...definition })));
    return starts.map((start, index) => ({ ...start, definition: found[index] ?? start.definition }));
  }

  /** Tells the parents of children that were told to begin once more: those that have ended say so again. */
  async endAgain(executions: readonly string[]): Promise<void> {
    if (executions.length === 0) return;
    const histories = await this.store.load(executions);
    for (const [execution, history] of histories) {
      const state = this.#folded(execution, history);
      if (state && isEnded(state)) await publishAnnouncements(this.bus, { at: state.endedAt ?? 0, facts: state }, endedAgain(state));
    }
  }

  /** Undefined of one that cannot be read: it keeps back none of the commands that came with it. */
  #folded(execution: string, { snapshot, events, unreadable }: StoredHistory<ExecutionEvent, ExecutionState>): ExecutionState | undefined {
    try {
      if (unreadable !== undefined) throw unreadable;
      return foldExecution(snapshot ?? initialExecution, events);
    } catch (fault) {
      this.onFault(fault, `reading the history of execution ${execution}`);
      return undefined;
    }
  }
}
