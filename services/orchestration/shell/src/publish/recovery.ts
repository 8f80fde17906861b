// Finds again what a crash left undone: running executions that nobody works on, and commits that nobody announced.
import { execute, type Pool } from '@weft/adapter-postgres';
import { childrenAgain, LONG_KINDS, decodeEvents, initialExecution, foldExecution, isInShare, outstandingJobs, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import { bucketOf } from '@weft/kernel';
import { failpoint, Fault, type Bus, type Clock } from '@weft/pipeline';
import type { ExecutionStore } from '../persist/execution-store.js';
import { announce, publishAnnouncements, type AnnounceOptions, type Announced } from './announcer.js';
import type { PublishedCommits } from '../persist/published-commits.js';
import type { JobDispatcher } from './job-dispatcher.js';
import type { ProgressWatch } from './progress-watch.js';
import type { Replicas } from '../replicas/replica-presence.js';

export interface RecoveryOptions {
  /** Whether long jobs were lost with the process (a bus inside it): at start they are sent again at once. */
  readonly busIsVolatile: boolean;
  /** Time between two sweeps. */
  readonly sweepMs: number;
  /** Silence after which a running execution is looked at. */
  readonly silentMs: number;
  /** The same when another replica has gone: longer than it could have worked unheard before others noticed, no shorter than a job may well take. */
  readonly takeOverSilentMs: number;
}

// `id > $2` walks through all of them in pages, in the order of their index; nothing is remembered between sweeps. Few of them are
// not parked: only of these the last row of the history is looked at. What does a quick job beside something that it is parked for is
// not parked; $6 kinds of jobs that are waited for in a row by themselves.
export const SILENT_SQL = `
select e.id from orchestration.executions e
where e.status = 'running' and e.id > $2::uuid and e.bucket >= $4 and e.bucket < $5
  and case when coalesce((select bool_or(w.kind = 'job' and ($3 or w.subject <> all($6::text[])) or w.kind = 'child' and $3) from orchestration.waits w where w.tenant = e.tenant and w.execution_id = e.id), true)
    then (select h.recorded_at from orchestration.history h where h.execution_id = e.id order by h.sequence desc limit 1) <= now() - $1::float8 * interval '1 millisecond' end
order by e.id limit 500`;

// Paged by age, so that commits which cannot be announced keep none of the others back.
const UNPUBLISHED_SQL = `
select id, members, recorded_at::text as at from orchestration.commits
where not published and recorded_at < now() - $3::float8 * interval '1 millisecond' and (recorded_at, id) > ($1::timestamptz, $2::uuid)
order by recorded_at, id limit 100`;
const ROWS_SQL = `select execution_id, sequence, structure, payload, (extract(epoch from recorded_at) * 1000)::float8 as at from orchestration.history where execution_id = any($1::uuid[]) order by execution_id, sequence`;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const UNPUBLISHED_MS = 2_000;
// Younger ones are being told of by whoever committed them.
const UNPUBLISHED_AGE_MS = 3_000;
// Under load the batches mark them along the way; this is for the last ones before silence.
const MARK_MS = 200;
const REDISPATCH_LOOK_MS = 500;
const MARK_SQL = 'update orchestration.commits set published = true where id = any($1::uuid[])';

interface UnpublishedCommit {
  readonly id: string;
  /** JSON: [[execution, sequence], ...]. */
  readonly members: string;
  readonly at: string;
}

export class Recovery {
  #timers: NodeJS.Timeout[] = [];
  #second: NodeJS.Timeout | undefined;
  #isStopped = false;
  #running = new Set<Promise<void>>();

  constructor(
    private readonly pool: Pool,
    private readonly store: ExecutionStore,
    private readonly dispatcher: JobDispatcher,
    private readonly progress: ProgressWatch,
    private readonly published: PublishedCommits,
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly replicas: Replicas,
    private readonly options: RecoveryOptions,
    private readonly onFault: (fault: unknown, what: string) => void,
    private readonly telling: AnnounceOptions = {},
  ) {}

  /** Looks at once, and when nobody else works on the store whatever the silence, until that has worked once; then slowly for ever. */
  start(): void {
    let isFirst = true;
    const sweep = async (): Promise<void> => {
      const isAlone = this.replicas.isAlone();
      await this.sweep(isFirst && isAlone === true ? 0 : this.options.silentMs, isFirst && this.options.busIsVolatile);
      if (isAlone !== undefined) isFirst = false;
    };
    this.#every(this.options.sweepMs, sweep, 'sweeping', true);
    let isFirstTelling = true;
    const tell = async (): Promise<void> => {
      await this.publishUnpublished(isFirstTelling && this.replicas.isAlone() === true ? 0 : UNPUBLISHED_AGE_MS);
      isFirstTelling = false;
    };
    this.#every(UNPUBLISHED_MS, tell, 'publishing what was left', true);
    this.#every(MARK_MS, () => this.markPublished(), 'marking commits as published');
    this.#every(REDISPATCH_LOOK_MS, () => this.redispatch(this.progress.overdue(this.clock.now(), 500)), 'dispatching again');
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#second);
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#running);
    await this.markPublished();
  }

  /** Finds what replicas that have gone had begun, as far as it is in this process's share: now, and once more for what was not silent long enough. */
  takeOver(): void {
    const { takeOverSilentMs } = this.options;
    const look = async (): Promise<void> => {
      await this.sweep(takeOverSilentMs, false);
      await this.publishUnpublished();
    };
    this.#run(look, 'taking over');
    clearTimeout(this.#second);
    this.#second = setTimeout(() => this.#run(look, 'taking over'), takeOverSilentMs);
  }

  /**
   * Folds running executions of this process's share that nobody seems to work on and dispatches their jobs again.
   * @param withJobRows whether those too whose jobs have rows, which the timer poller looks after otherwise. What is parked without a job is left alone.
   */
  async sweep(silentMs: number, withJobRows: boolean): Promise<void> {
    let after = FIRST_ID;
    for (;;) {
      // Asked for each page: a process that was stopped in the middle has none any more.
      const { from, to } = this.replicas.share();
      if (from === to) return;
      const rows = await execute<{ id: string }>(this.pool, { name: 'orchestration-silent-6', text: SILENT_SQL, values: [silentMs, after, withJobRows, from, to, [...LONG_KINDS]] });
      if (rows.length === 0) return;
      // What this process watches itself it dispatches again in its own time.
      await this.redispatch(rows.map((row) => row.id).filter((id) => !this.progress.isExpected(id)));
      after = rows.at(-1)!.id;
    }
  }

  /** Dispatches the outstanding jobs of executions again, and tells their children once more to begin. Whoever did it already answers with what it knows. */
  readonly redispatch = async (executions: readonly string[]): Promise<void> => {
    if (executions.length === 0) return;
    const histories = await this.store.load(executions);
    const waiting: ExecutionState[] = [];
    const batch = [...histories].flatMap(([execution, { snapshot, events, unreadable }]) => {
      // One that this release cannot read stops alone; which it is, a sweep says each time.
      const state = unreadable === undefined ? this.#folded(execution, snapshot, events) : this.#unreadable(execution, unreadable);
      if (!state) return [];
      if (state.children && state.status === 'running') waiting.push(state);
      const jobs = outstandingJobs(state);
      if (jobs.length === 0) this.progress.forget(state.executionId);
      return jobs.length > 0 ? [{ state, jobs }] : [];
    });
    for (const state of waiting) await publishAnnouncements(this.bus, { at: this.clock.now(), facts: state }, childrenAgain(state));
    if (batch.length === 0) return;
    failpoint('orchestration.redispatch', 'before');
    await this.dispatcher.dispatch(batch);
    failpoint('orchestration.redispatch', 'after');
  };

  /** Publishes what committed batches announce and nobody has marked as published. The messages are the same as the first time. */
  async publishUnpublished(ageMs = UNPUBLISHED_AGE_MS): Promise<void> {
    let after: Pick<UnpublishedCommit, 'id' | 'at'> = { id: FIRST_ID, at: '-infinity' };
    for (;;) {
      const commits = await execute<UnpublishedCommit>(this.pool, { name: 'orchestration-unpublished-3', text: UNPUBLISHED_SQL, values: [after.at, after.id, ageMs] });
      const last = commits.at(-1);
      if (!last) return;
      after = last;
      const share = this.replicas.share();
      await this.#publish(commits.filter((commit) => isInShare(share, bucketOf(commit.id)) && !this.published.isInHand(commit.id)));
    }
  }

  /** When some of them cannot be published, each is tried alone, so that only those are left for later. */
  async #publish(commits: readonly UnpublishedCommit[]): Promise<void> {
    if (commits.length === 0) return;
    try {
      const members = commits.flatMap((commit) => JSON.parse(commit.members) as [string, number][]);
      failpoint('orchestration.republish', 'before');
      const told = await announce(this.bus, await this.#rowsOf(members), this.telling);
      failpoint('orchestration.republish', 'after');
      if (told.safe) {
        for (const { id } of commits) await this.published.track(id, Promise.resolve(told));
        return;
      }
    } catch (fault) {
      // A bus or a store that is away takes none of them.
      if (fault instanceof Fault && fault.retryable) throw fault;
      if (commits.length === 1) this.onFault(fault, `publishing what commit ${commits[0]!.id} announces`);
      else for (const commit of commits) await this.#publish([commit]);
      return;
    }
    await execute(this.pool, { name: 'orchestration-mark-1', text: MARK_SQL, values: [commits.map((commit) => commit.id).sort()] });
  }

  /** Marks commits whose announcements are out and that no batch has marked. */
  async markPublished(): Promise<void> {
    const ids = this.published.take();
    if (ids.length === 0) return;
    try {
      failpoint('orchestration.mark-published', 'before');
      await execute(this.pool, { name: 'orchestration-mark-1', text: MARK_SQL, values: [ids] });
      failpoint('orchestration.mark-published', 'after');
    } catch (fault) {
      this.published.giveBack(ids);
      throw fault;
    }
  }

  async #rowsOf(members: readonly (readonly [string, number])[]): Promise<readonly Announced[]> {
    const wanted = new Set(members.map(([execution, sequence]) => `${execution}/${sequence}`));
    const rows = await execute<{ execution_id: string; sequence: number; structure: string; payload: string | null; at: number }>(this.pool, {
      name: 'orchestration-rows-2',
      text: ROWS_SQL,
      values: [[...new Set(members.map(([execution]) => execution))]],
    });
    const announced: Announced[] = [];
    let facts = initialExecution;
    for (const row of rows) {
      const events = decodeEvents(row, row.execution_id);
      // As they were after this very row: what taints the execution has grown with it.
      const before = row.sequence === 0 ? initialExecution : facts;
      facts = foldExecution(before, events);
      if (wanted.has(`${row.execution_id}/${row.sequence}`)) announced.push({ at: Math.round(row.at), facts, sequence: row.sequence, events, before });
    }
    return announced;
  }

  #folded(execution: string, snapshot: ExecutionState | undefined, events: readonly ExecutionEvent[]): ExecutionState | undefined {
    try {
      return foldExecution(snapshot ?? initialExecution, events);
    } catch (fault) {
      return this.#unreadable(execution, fault);
    }
  }

  #unreadable(execution: string, fault: unknown): undefined {
    this.progress.forget(execution);
    this.onFault(fault, `reading the history of execution ${execution}`);
  }

  #every(periodMs: number, run: () => Promise<void>, what: string, isAtOnce = false): void {
    let isRunning = false;
    const begin = (): void => {
      if (isRunning) return;
      isRunning = true;
      this.#run(() => run().finally(() => (isRunning = false)), what);
    };
    this.#timers.push(setInterval(begin, periodMs));
    if (isAtOnce) begin();
  }

  #run(run: () => Promise<void>, what: string): void {
    if (this.#isStopped) return;
    const running = run()
      .catch((fault: unknown) => this.onFault(fault, what))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
