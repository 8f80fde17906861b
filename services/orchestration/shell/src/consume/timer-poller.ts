// Fires what is due: timers and long jobs that were not heard of. Rows are claimed with SKIP LOCKED, so any replica may poll.
import { execute, type Pool } from '@weft/adapter-postgres';
import { failpoint, type Clock } from '@weft/pipeline';
import type { ExecutionEngine } from '../handle/execution-engine.js';

export interface DueWait {
  readonly executionId: string;
  readonly id: string;
  readonly kind: string;
}

const CLAIM_SQL = `
update orchestration.waits w set claimed_until = now() + interval '5 seconds',
  due_at = case when w.kind = 'job' then now() + interval '30 seconds' else w.due_at end
from (
  select tenant, execution_id, id from orchestration.waits
  where due_at <= now() and (claimed_until is null or claimed_until < now())
  order by due_at limit $1 for update skip locked
) due
where w.tenant = due.tenant and w.execution_id = due.execution_id and w.id = due.id
returning w.execution_id as "executionId", w.id, w.kind`;

// Timers due within this time are fired by the process that set them; the poller covers the rest and its crashes.
const OWN_TIMER_MAX_MS = 5_000;
const POLL_MS = 250;
const BATCH_MAX = 500;

export class TimerPoller {
  readonly #own = new Set<NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly pool: Pool,
    private readonly engine: ExecutionEngine,
    private readonly clock: Clock,
    private readonly redispatch: (executions: readonly string[]) => Promise<void>,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {}

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
  readonly onTimer = (execution: string, timer: string, due: number): void => {
    const waitMs = due - this.clock.now();
    if (waitMs > OWN_TIMER_MAX_MS || this.#stopped) return;
    const handle = setTimeout(
      () => {
        this.#own.delete(handle);
        this.#fire([{ executionId: execution, id: timer, kind: 'timer' }]).catch((fault: unknown) => this.onFault(fault, 'firing a timer'));
        // One more: a timer of Node may fire within the millisecond before its time, and would be refused.
      },
      Math.max(0, waitMs) + 1,
    );
    this.#own.add(handle);
  };

  /** Leaves the timers that this process set to whoever polls. */
  forgetAll(): void {
    for (const handle of this.#own) clearTimeout(handle);
    this.#own.clear();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.forgetAll();
    await this.#polling;
  }

  async #poll(): Promise<void> {
    for (;;) {
      const due = await execute<DueWait>(this.pool, { name: 'orchestration-claim-waits-1', text: CLAIM_SQL, values: [BATCH_MAX] });
      if (due.length === 0) return;
      await this.#fire(due.filter((wait) => wait.kind === 'timer'));
      const jobs = due.filter((wait) => wait.kind === 'job');
      if (jobs.length > 0) await this.redispatch(jobs.map((wait) => wait.executionId));
      if (due.length < BATCH_MAX) return;
    }
  }

  async #fire(due: readonly DueWait[]): Promise<void> {
    if (due.length === 0) return;
    failpoint('orchestration.fire-timers', 'before');
    await this.engine.submit(due.map(({ executionId, id }) => ({ key: executionId, command: { type: 'FireTimer', timer: id } as const, messageId: `timer/${executionId}${id}` })));
    failpoint('orchestration.fire-timers', 'after');
  }
}
