// Everything that the processes of a simulated world share.
import type { ExecutionState } from '@weft/orchestration/core';
import { effectDecider, type EffectEvent, type EffectState } from '@weft/tools/core';
import { Bus } from './bus.js';
import { Chaos } from './chaos.js';
import { CommitRows, type CommitRecord } from './commit-rows.js';
import { definitionOf, type Definition } from './definition.js';
import { ExecutionTable, TENANT, type Written } from './execution-table.js';
import { KeptTable } from './kept-table.js';
import { LogTable } from './log-table.js';
import type { Parts } from './parts.js';
import { PresenceTable } from './presence.js';
import { Random } from './random.js';
import { Receiver } from './receiver.js';
import { RequestTable } from './request-table.js';
import { Schedule } from './schedule.js';
import { Store } from './store.js';
import { Watch } from './watch.js';

export class World {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly chaos: Chaos;
  readonly bus: Bus;
  readonly watch: Watch;
  readonly requests = new RequestTable();
  readonly executions: ExecutionTable;
  readonly effects: Store<EffectState, EffectEvent>;
  readonly kept = new KeptTable();
  readonly log = new LogTable();
  readonly presence = new PresenceTable();
  readonly receiver: Receiver;
  /** Approvals that were used, with the key that used them: a table of tools. */
  readonly approvalsUsed = new Map<string, string>();
  /** Definition by execution, as its start named it. */
  readonly definitions = new Map<string, Definition>();
  /** Told of each execution that was accepted. */
  onAccepted: (execution: string, request: string) => void = () => undefined;

  constructor(
    readonly seed: number,
    readonly parts: Parts,
    isTraced: boolean,
  ) {
    this.schedule = new Schedule(isTraced);
    this.random = new Random(seed);
    this.chaos = new Chaos(this.random, (kind) => this.schedule.note(`fault: ${kind}`));
    this.bus = new Bus(this.schedule, this.random, this.chaos);
    this.watch = new Watch(this.schedule);
    this.executions = new ExecutionTable(parts, (decided: Written, at) => this.watch.onDecision(decided, at));
    this.effects = new Store('tools', TENANT, {
      // Payloads of effects are parted in tools' shell; what is folded is the same.
      encode: (events) => ({ structure: JSON.stringify(events), payload: '[]' }),
      decode: ({ structure }) => JSON.parse(structure) as EffectEvent[],
      announces: () => false,
      onWritten: ({ key, before, events }) => this.watch.onEffect(key, before, events),
    });
    this.receiver = new Receiver((execution, counter) => this.definitions.get(execution)?.refusals.get(counter) ?? 0);
  }

  /** Commit rows of all services. */
  commitRows(): readonly CommitRows[] {
    return [this.executions.store.commits, this.effects.commits, this.requests.commits, this.kept.memory, this.kept.validation];
  }

  allCommits(): readonly CommitRecord[] {
    return this.commitRows().flatMap(({ rows }) => [...rows.values()]);
  }

  /** Notes which definition an accepted execution is of, in the act that stores it. */
  define(execution: string, number: number, request: string): void {
    this.definitions.set(execution, definitionOf(number));
    this.onAccepted(execution, request);
  }

  /** The definition of an execution: of one that another runs, as its start named it. */
  definitionOf({ executionId, definition }: Pick<ExecutionState, 'executionId' | 'definition'>): Definition {
    return this.definitions.get(executionId) ?? definitionOf(Number(definition.digest.split('-')[1]));
  }

  /** What is stored about an effect. */
  effectState(key: string): EffectState {
    return (this.effects.load([key]).get(key)?.events ?? []).reduce(effectDecider.evolve, effectDecider.initial);
  }
}
