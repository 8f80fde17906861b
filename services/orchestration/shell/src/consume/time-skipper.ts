// Time that nobody has to wait for: when nothing but timers and schedules is outstanding, the clock goes on to the next one.
import { execute, type Pool } from '@weft/adapter-postgres';
import type { Instant } from '@weft/kernel';
import type { Clock } from '@weft/pipeline';
import type { DueTimer } from './due-queue.js';

/** A clock that can be put forward; between that it goes as any other. */
export class SkippingClock implements Clock {
  #skippedMs = 0;
  #skips = false;

  now(): Instant {
    return Date.now() + this.#skippedMs;
  }

  /** Puts the clock forward to an instant; one that is past changes nothing. */
  skipTo(instant: Instant): void {
    this.#skippedMs += Math.max(0, instant - this.now());
  }

  /** From now on time is skipped: what an execution was to be told before its timers has been told. */
  begin(): void {
    this.#skips = true;
  }

  get skips(): boolean {
    return this.#skips;
  }
}

export interface SkipperPorts {
  readonly clock: SkippingClock;
  readonly pool: Pool;
  /** Whether a decision waits to be taken, is being told, or a quick job is under way. */
  readonly isBusy: () => boolean;
  readonly fire: (timers: readonly DueTimer[]) => void;
  readonly schedules: SkippedSchedules;
  readonly onFault: (fault: unknown, what: string) => void;
}

export interface SkippedSchedules {
  /** Gives those that wait for the end of an execution their time. */
  settle(): Promise<unknown>;
  /** Starts what is due at an instant. */
  fireDue(upTo: Instant): Promise<void>;
}

interface Next {
  /** Null for schedules. */
  readonly executionId: string | null;
  readonly id: string;
  readonly due: Instant;
}

// The timers and schedules that fall due next, unless a long job is under way. Children are no timers: parents only ask for them again.
const NEXT_SQL = `
with timers as (select execution_id, id, due_at from orchestration.waits where kind not in ('job', 'child') and due_at is not null),
  schedules as (select concat_ws('/', namespace, name, kind) as id, due_at from orchestration.schedules where not paused and due_at is not null),
  upcoming as (select null::uuid as execution_id, id, due_at from schedules union all select execution_id, id, due_at from timers)
select execution_id as "executionId", id, (extract(epoch from due_at) * 1000)::float8 as due from upcoming
where due_at = (select min(due_at) from upcoming) and not exists (select 1 from orchestration.waits where kind = 'job')
order by execution_id nulls first, id limit 500`;

// Short beside a start, long enough for what a decision told the bus to come back as a command.
const LOOK_MS = 5;

const timerIn = ({ executionId, id }: Next): readonly DueTimer[] => (executionId === null ? [] : [{ executionId, id }]);

/** Only where one execution after the other is watched by whoever started it: the clock of all of them moves. */
export class TimeSkipper {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly ports: SkipperPorts) {}

  start(): void {
    void this.#look('');
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param before what the look before this one found, with nothing else under way. */
  async #look(before: string): Promise<void> {
    const found = await this.#next().catch((fault: unknown) => {
      if (!this.#stopped) this.ports.onFault(fault, 'looking for the next timer');
      return [];
    });
    if (this.#stopped) return;
    const names = found.map(({ executionId, id, due }) => `${executionId ?? ''}${id}${due}`).join();
    // Twice the same: what was on its way between two decisions has come by now.
    if (names !== '' && names === before && !this.ports.isBusy()) {
      this.ports.clock.skipTo(found[0]!.due);
      this.ports.fire(found.flatMap(timerIn));
      if (found.some(({ executionId }) => executionId === null)) await this.#fireSchedules(found[0]!.due);
    }
    this.#timer = setTimeout(() => void this.#look(names), LOOK_MS);
  }

  async #fireSchedules(due: Instant): Promise<void> {
    await this.ports.schedules.fireDue(due).catch((fault: unknown) => this.ports.onFault(fault, 'starting what is due'));
  }

  async #next(): Promise<readonly Next[]> {
    if (!this.ports.clock.skips || this.ports.isBusy()) return [];
    await this.ports.schedules.settle();
    return execute(this.ports.pool, { name: 'orchestration-next-timers', text: NEXT_SQL, values: [] });
  }
}
