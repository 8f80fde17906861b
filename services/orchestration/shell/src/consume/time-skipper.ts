// Time that nobody has to wait for: when nothing but timers is outstanding, the clock goes on to the next one.
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
  /** Whether a decision waits to be taken or a quick job is under way. */
  readonly isBusy: () => boolean;
  readonly fire: (timers: readonly DueTimer[]) => void;
  readonly onFault: (fault: unknown, what: string) => void;
}

// The timers that fall due next, unless a long job is under way.
const NEXT_SQL = `
select w.execution_id as "executionId", w.id, (extract(epoch from w.due_at) * 1000)::float8 as due
from orchestration.waits w
where w.kind <> 'job' and not exists (select 1 from orchestration.waits j where j.kind = 'job')
  and w.due_at = (select min(due_at) from orchestration.waits where kind <> 'job')
order by w.execution_id, w.id limit 500`;

// Short beside a start, long enough for what a decision told the bus to come back as a command.
const LOOK_MS = 5;

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

  /** @param before the timers that the look before this one found, with nothing else under way. */
  async #look(before: string): Promise<void> {
    const found = await this.#next().catch((fault: unknown) => {
      if (!this.#stopped) this.ports.onFault(fault, 'looking for the next timer');
      return [];
    });
    if (this.#stopped) return;
    const names = found.map(({ executionId, id }) => executionId + id).join();
    // Twice the same: what was on its way between two decisions has come by now.
    if (names !== '' && names === before && !this.ports.isBusy()) {
      this.ports.clock.skipTo(found[0]!.due);
      this.ports.fire(found);
    }
    this.#timer = setTimeout(() => void this.#look(names), LOOK_MS);
  }

  async #next(): Promise<readonly (DueTimer & { readonly due: Instant })[]> {
    if (!this.ports.clock.skips || this.ports.isBusy()) return [];
    return execute(this.ports.pool, { name: 'orchestration-next-timers', text: NEXT_SQL, values: [] });
  }
}
