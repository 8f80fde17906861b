// Fires what is due: timers, reviews and long jobs that were not heard of. Rows are claimed with SKIP LOCKED, so any replica may poll.
import { execute, type Pool } from '@weft/adapter-postgres';
import type { Instant } from '@weft/kernel';
import { failpoint, type Clock } from '@weft/pipeline';
import type { ExecutionEngine } from '../handle/execution-engine.js';
import { DueQueue, type DueTimer } from './due-queue.js';

interface DueWait extends DueTimer {
  readonly kind: string;
  /** When it is due: by the clock of whoever decides, which may go after the store's. */
  readonly due: Instant;
}

// Timers are claimed shortly before they are due, so that they fire on time however seldom this looks; jobs when they are.
const CLAIM_SQL = `
update orchestration.waits w set claimed_until = greatest(now(), w.due_at) + interval '3 seconds',
  due_at = case w.kind when 'job' then now() + interval '30 seconds' when 'child' then now() + interval '5 minutes' else w.due_at end
from (
  select tenant, execution_id, id, due_at from orchestration.waits
  where due_at <= now() + $2::int * interval '1 millisecond' and (kind not in ('job', 'child') or due_at <= now()) and (claimed_until is null or claimed_until < now())
  order by due_at limit $1 for update skip locked
) due
where w.tenant = due.tenant and w.execution_id = due.execution_id and w.id = due.id
returning w.execution_id as "executionId", w.id, w.kind, (extract(epoch from due.due_at) * 1000)::float8 as due`;

/** Nothing fires then: jobs and children are told of once more. */
const isAskedAgain = (kind: string): boolean => kind === 'job' || kind === 'child';

const POLL_MS = 250;
// Twice the time between two looks: one look may be late.
const LOOK_AHEAD_MS = 500;
// Timers due within this time are fired by the process that set them; who polls covers the rest, and its crashes.
const OWN_TIMER_MAX_MS = 5_000;
const OWN_TIMERS_MAX = 20_000;
const BATCH_MAX = 500;
// Timers being fired beyond which no more are claimed: another replica may have room.
const FIRING_MAX = 4_000;

export class TimerPoller {
  readonly #queue: DueQueue;
  #firing = 0;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly pool: Pool,
    private readonly engine: ExecutionEngine,
    private readonly clock: Clock,
    private readonly redispatch: (executions: readonly string[]) => Promise<void>,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {
    this.#queue = new DueQueue(clock, (due) => this.fire(due));
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#polling = this.#poll()
        .catch((fault: unknown) => this.onFault(fault, 'polling timers'))
        .finally(() => {
          this.#polling = undefined;
          if (!this.#stopped) this.start();
        });
    }, POLL_MS);
  }

  /** Fires a timer that this process set as soon as it is due. */
  readonly onTimer = (executionId: string, id: string, due: Instant): void => {
    if (this.#stopped || due - this.clock.now() > OWN_TIMER_MAX_MS || this.#queue.size >= OWN_TIMERS_MAX) return;
    this.#queue.add({ executionId, id }, due);
  };

  /** Leaves the timers that this process set to whoever polls. */
  forgetAll(): void {
    this.#queue.clear();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.forgetAll();
    await this.#polling;
  }

  async #poll(): Promise<void> {
    while (this.#firing < FIRING_MAX) {
      const claimed = await execute<DueWait>(this.pool, { name: 'orchestration-claim-waits-5', text: CLAIM_SQL, values: [BATCH_MAX, LOOK_AHEAD_MS] });
      if (this.#stopped || claimed.length === 0) return;
      const soon = this.clock.now() + OWN_TIMER_MAX_MS;
      // Fired before its time it would be refused, and wait for the next claim. What is far away by our clock is claimed again.
      for (const { executionId, id, kind, due } of claimed) if (!isAskedAgain(kind) && due <= soon) this.#queue.add({ executionId, id }, due);
      const asked = claimed.filter(({ kind }) => isAskedAgain(kind));
      if (asked.length > 0) await this.redispatch([...new Set(asked.map((wait) => wait.executionId))]);
      if (claimed.length < BATCH_MAX) return;
    }
  }

  /** Fires timers that are due; one that is not, or no longer there, changes nothing. */
  readonly fire = (due: readonly DueTimer[]): void => {
    failpoint('orchestration.fire-timers', 'before');
    this.#firing += due.length;
    this.engine
      .submit(due.map(({ executionId, id }) => ({ key: executionId, command: { type: 'FireTimer', timer: id } as const, messageId: `timer/${executionId}${id}` })))
      .then(
        () => failpoint('orchestration.fire-timers', 'after'),
        (fault: unknown) => this.onFault(fault, 'firing timers'),
      )
      .finally(() => {
        this.#firing -= due.length;
      });
  };
}
