// Finds again what a crash left undone: running executions that nobody works on, and commits that nobody announced.
import { execute, type Pool } from '@weft/adapter-postgres';
import { decodeEvents, initialExecution, evolveExecution, outstandingJobs, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import type { Bus, Clock } from '@weft/pipeline';
import type { ExecutionStore } from '../persist/execution-store.js';
import { announce, type Announced } from './announcer.js';
import type { PublishedCommits } from '../persist/published-commits.js';
import type { JobDispatcher } from './job-dispatcher.js';
import type { ProgressWatch } from './progress-watch.js';

export interface RecoveryOptions {
  /** Whether long jobs were lost with the process (a bus inside it): at start they are sent again at once. */
  readonly busIsVolatile: boolean;
  /** Time between two sweeps. */
  readonly sweepMs: number;
  /** Silence after which a running execution is looked at. */
  readonly silentMs: number;
}

// `id > $2` walks through all of them in pages; nothing is remembered between sweeps.
const SILENT_SQL = `
select e.id from orchestration.executions e
where e.status = 'running' and e.id > $2::uuid
  and ($3 or not exists (select 1 from orchestration.waits w where w.tenant = e.tenant and w.execution_id = e.id))
  and not exists (select 1 from orchestration.history h where h.execution_id = e.id and h.recorded_at > now() - $1::float8 * interval '1 millisecond')
order by e.id limit 500`;

const UNPUBLISHED_SQL = `select id, members from orchestration.commits where not published and recorded_at < now() - interval '3 seconds' limit 100`;
const ROWS_SQL = `select execution_id, sequence, structure, payload, recorded_at from orchestration.history where execution_id = any($1::uuid[]) order by execution_id, sequence`;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const UNPUBLISHED_MS = 2_000;
// Under load the batches mark them along the way; this is for the last ones before silence.
const MARK_MS = 200;
const MARK_SQL = 'update orchestration.commits set published = true where id = any($1::uuid[])';

export class Recovery {
  #timers: NodeJS.Timeout[] = [];
  #running = new Set<Promise<void>>();

  constructor(
    private readonly pool: Pool,
    private readonly store: ExecutionStore,
    private readonly dispatcher: JobDispatcher,
    private readonly progress: ProgressWatch,
    private readonly published: PublishedCommits,
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly options: RecoveryOptions,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {}

  /** Sweeps once at once, whatever the silence; then slowly for ever. */
  async start(): Promise<void> {
    await this.publishUnpublished();
    await this.sweep(0, this.options.busIsVolatile);
    this.#every(this.options.sweepMs, () => this.sweep(this.options.silentMs, false), 'sweeping');
    this.#every(UNPUBLISHED_MS, () => this.publishUnpublished(), 'publishing what was left');
    this.#every(MARK_MS, () => this.markPublished(), 'marking commits as published');
    this.#every(500, () => this.redispatch(this.progress.overdue(this.clock.now(), 500)), 'dispatching again');
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#running);
    await this.markPublished();
  }

  /** Folds running executions that nobody seems to work on and dispatches their jobs again. */
  async sweep(silentMs: number, withWaits: boolean): Promise<void> {
    let after = FIRST_ID;
    for (;;) {
      const rows = await execute<{ id: string }>(this.pool, { name: 'orchestration-silent-1', text: SILENT_SQL, values: [silentMs, after, withWaits] });
      if (rows.length === 0) return;
      await this.redispatch(rows.map((row) => row.id));
      after = rows.at(-1)!.id;
    }
  }

  /** Dispatches the outstanding jobs of executions again. Whoever did them already answers with what it knows. */
  readonly redispatch = async (executions: readonly string[]): Promise<void> => {
    if (executions.length === 0) return;
    const histories = await this.store.load(executions);
    const batch = [...histories.values()].flatMap(({ events }) => {
      const state = fold(events);
      const jobs = outstandingJobs(state);
      if (jobs.length === 0) this.progress.forget(state.executionId);
      return jobs.length > 0 ? [{ state, jobs }] : [];
    });
    await this.dispatcher.dispatch(batch);
  };

  /** Publishes what committed batches announce and nobody has marked as published. The ids are the same as the first time. */
  async publishUnpublished(): Promise<void> {
    for (;;) {
      const commits = await execute<{ id: string; members: string }>(this.pool, { name: 'orchestration-unpublished-1', text: UNPUBLISHED_SQL, values: [] });
      if (commits.length === 0) return;
      const members = commits.flatMap((commit) => JSON.parse(commit.members) as [string, number][]);
      await announce(this.bus, this.clock.now(), await this.#rowsOf(members));
      await execute(this.pool, { name: 'orchestration-mark-1', text: MARK_SQL, values: [commits.map((commit) => commit.id)] });
    }
  }

  /** Marks commits whose announcements are out and that no batch has marked. */
  async markPublished(): Promise<void> {
    const ids = this.published.take();
    if (ids.length === 0) return;
    try {
      await execute(this.pool, { name: 'orchestration-mark-1', text: MARK_SQL, values: [ids] });
    } catch (fault) {
      this.published.giveBack(ids);
      throw fault;
    }
  }

  async #rowsOf(members: readonly (readonly [string, number])[]): Promise<readonly Announced[]> {
    const wanted = new Set(members.map(([execution, sequence]) => `${execution}/${sequence}`));
    const rows = await execute<{ execution_id: string; sequence: number; structure: string; payload: string | null }>(this.pool, { name: 'orchestration-rows-1', text: ROWS_SQL, values: [[...new Set(members.map(([execution]) => execution))]] });
    const announced: Announced[] = [];
    let facts = initialExecution;
    for (const row of rows) {
      const events = decodeEvents(row);
      if (row.sequence === 0) facts = fold(events.slice(0, 1));
      if (wanted.has(`${row.execution_id}/${row.sequence}`)) announced.push({ facts, sequence: row.sequence, events });
    }
    return announced;
  }

  #every(periodMs: number, run: () => Promise<void>, what: string): void {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      const running = run()
        .catch((fault: unknown) => this.onFault(fault, what))
        .finally(() => {
          isRunning = false;
          this.#running.delete(running);
        });
      this.#running.add(running);
    }, periodMs);
    this.#timers.push(timer);
  }
}

const fold = (events: readonly ExecutionEvent[]): ExecutionState => events.reduce(evolveExecution, initialExecution);
