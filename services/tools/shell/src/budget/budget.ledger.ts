// Reserve before, settle after: what jobs draw on budgets, committed in batches.
import type { Job } from '@weft/contracts';
import type { Failure, Instant } from '@weft/kernel';
import { failpoint } from '@weft/pipeline';
import { budgetExceeded, chargeKey, fit, NOTHING, sumOf, type Amount, type BudgetSettlement, type Charge, type Spending, type Tally } from '@weft/tools/core';
import { isForLater } from '../carry-out/internal-error.js';
import type { BudgetDirectory } from './budget.directory.js';
import { GroupQueue } from './group-queue.js';
import { reservationKey, type Ending, type Reservation, type ReservationId, type ReservationStore } from './reservation.store.js';

/** What a job holds of its budgets until it is settled. */
export interface Hold extends ReservationId {
  readonly amount: Amount;
  readonly leaseMs: number;
  /** Monotonic instant (`performance.now()`) until which it certainly holds: nothing may leave later. */
  untilMs: number;
}

/** `hold` is missing when the job is paid already: its key has been settled before. */
export type Reserving = { readonly ok: true; readonly hold?: Hold } | { readonly ok: false; readonly failure: Failure };

export interface BudgetLedgerOptions {
  readonly directory: BudgetDirectory;
  readonly store: ReservationStore;
  /** Time of the store. */
  readonly now: () => Instant;
  /** How long a reservation outlives whoever took it, beyond the timeout of its job. Milliseconds. */
  readonly leaseMs: number;
  /** Told of each fault of the store that it waits out. */
  readonly onFault: (fault: unknown) => void;
}

interface Asked {
  readonly reservation: Reservation;
  readonly answer: (reserving: Reserving) => void;
}

const BATCH_MAX = 256;
const FORGET_EVERY_MS = 3_600_000;
const REFRESH_MS = 1_000;
const SWEEP_MS_MAX = 5_000;

export class BudgetLedger {
  /** What this process holds, for renewal. */
  readonly #held = new Map<string, Hold>();
  /** Figures of counters as last seen: a guess of what fits, which the store then judges. */
  #seen: ReadonlyMap<string, Tally> = new Map();
  readonly #reserving: GroupQueue<Asked>;
  readonly #settling: GroupQueue<{ readonly ending: Ending; readonly done: () => void }>;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(private readonly options: BudgetLedgerOptions) {
    const { onFault } = options;
    this.#reserving = new GroupQueue({ batchMax: BATCH_MAX, keyOf: ({ reservation }) => reservationKey(reservation), run: (batch) => this.#grant(batch), onFault, isForLater });
    this.#settling = new GroupQueue({
      batchMax: BATCH_MAX,
      keyOf: ({ ending }) => reservationKey(ending),
      run: async (batch) => {
        failpoint('tools.settle', 'before');
        await options.store.settle(batch.map(({ ending }) => ending));
        failpoint('tools.settle', 'after');
        for (const { done } of batch) done();
      },
      onFault,
      isForLater,
    });
  }

  /** Reads budgets, then keeps them fresh, renews what is held and ends what nobody renews. @throws Fault when the store does not answer. */
  async start(): Promise<void> {
    const { directory, store, leaseMs } = this.options;
    await directory.refresh();
    this.#every(REFRESH_MS, () => directory.refresh());
    this.#every(leaseMs / 3, () => this.#renew());
    this.#every(Math.min(leaseMs / 4, SWEEP_MS_MAX), () => store.sweep());
    this.#every(FORGET_EVERY_MS, () => store.forget());
  }

  /** Resolves when what was asked is settled; asks nothing any more. */
  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await Promise.all([this.#reserving.stop(), this.#settling.stop()]);
  }

  /** Whether a job of this tenant may draw on anything at all. */
  mayDraw(job: Job): boolean {
    return job.context?.budget !== undefined || !this.options.directory.isEmptyFor(job.context?.tenant ?? '');
  }

  /** What a spending draws on; empty for most. */
  chargesOf(spending: Spending): readonly Charge[] {
    return this.options.directory.chargesOf(spending, this.options.now());
  }

  /**
   * Reserves, or says what is missing (`budget-exceeded`). Exact: no cap is exceeded by reservations, however many processes reserve at once.
   * @param hold empty for a write, whose key is one call however often it is carried out; else names this carrying-out.
   * @throws Fault when the process is going.
   */
  reserve(id: ReservationId, charges: readonly Charge[], amount: Amount, timeoutMs: number): Promise<Reserving> {
    const { promise, resolve } = Promise.withResolvers<Reserving>();
    const reservation: Reservation = { ...id, charges, amount, leaseMs: timeoutMs + this.options.leaseMs };
    return this.#reserving.add({ reservation, answer: resolve }).then(() => promise);
  }

  /** Settles what was held, durable when it resolves. @throws Fault when the process is going: then the lease ends it. */
  async settle(hold: Hold, settlement: BudgetSettlement): Promise<void> {
    this.release(hold);
    const { tenant, key, hold: name } = hold;
    const used = settlement.state === 'spent' ? settlement.amount : NOTHING;
    await this.#settling.add({ ending: { tenant, key, hold: name, becomes: settlement.state, used }, done: () => undefined });
  }

  /** Renews it no more: whoever carries out the job next takes it over, or its lease ends it. */
  release(hold: Hold): void {
    if (this.#held.get(reservationKey(hold)) === hold) this.#held.delete(reservationKey(hold));
  }

  async #grant(batch: readonly Asked[]): Promise<void> {
    const { store } = this.options;
    let open = batch;
    let tallies = this.#seen;
    // Nobody is refused by a guess: only figures that the store has told since tell that there is no room.
    let isFresh = false;
    while (open.length > 0) {
      const shortages = fit(
        open.map(({ reservation: { charges, amount } }) => ({ charges, amount })),
        tallies,
      );
      const fitting = open.filter((_, index) => shortages[index] === undefined);
      const rest = open.filter((_, index) => shortages[index] !== undefined);
      if (fitting.length === 0 && isFresh)
        return this.#refuse(
          open,
          shortages.map((shortage) => shortage!),
        );
      const sentAt = performance.now();
      failpoint('tools.reserve', 'before');
      const {
        tallies: before,
        fits,
        taken,
      } = await store.reserve(
        fitting.map(({ reservation }) => reservation),
        rest.flatMap(({ reservation }) => reservation.charges),
      );
      failpoint('tools.reserve', 'after');
      tallies = before;
      isFresh = true;
      this.#seen = tallies;
      if (!fits) continue;
      const isNew = (_: Asked, index: number): boolean => taken.has(index);
      const granted = fitting.filter(isNew);
      tallies = plus(
        before,
        granted.map(({ reservation }) => reservation),
      );
      this.#seen = tallies;
      for (const { reservation, answer } of granted) answer({ ok: true, hold: this.#hold(reservation, sentAt) });
      const freed = await this.#join(fitting.filter((asked, index) => !isNew(asked, index)));
      open = [...freed, ...rest];
    }
  }

  /** Answers those whose key was reserved before: held by somebody who may be gone, or paid. @returns the others. */
  async #join(known: readonly Asked[]): Promise<readonly Asked[]> {
    if (known.length === 0) return [];
    const sentAt = performance.now();
    const states = await this.options.store.join(known.map(({ reservation }) => reservation));
    return known.filter(({ reservation, answer }) => {
      const state = states.get(reservationKey(reservation));
      if (state === 'held') answer({ ok: true, hold: this.#hold(reservation, sentAt) });
      else if (state === 'spent') answer({ ok: true });
      return state !== 'held' && state !== 'spent';
    });
  }

  async #refuse(asked: readonly Asked[], shortages: readonly Parameters<typeof budgetExceeded>[0][]): Promise<void> {
    const shortageOf = new Map(asked.map((one, index) => [one, shortages[index]!]));
    // A write that was paid for before needs no room.
    for (const one of await this.#join(asked)) one.answer({ ok: false, failure: budgetExceeded(shortageOf.get(one)!, one.reservation.amount) });
  }

  #hold({ tenant, key, hold, amount, leaseMs }: Reservation, sentAt: number): Hold {
    const known = this.#held.get(reservationKey({ key, hold }));
    // A batch that is tried again meets what it has taken already.
    const held: Hold = known ?? { tenant, key, hold, amount, leaseMs, untilMs: 0 };
    held.untilMs = sentAt + leaseMs;
    this.#held.set(reservationKey(held), held);
    return held;
  }

  async #renew(): Promise<void> {
    const holds = [...this.#held.values()];
    if (holds.length === 0) return;
    const sentAt = performance.now();
    const renewed = await this.options.store.renew(holds);
    for (const hold of holds) hold.untilMs = renewed.has(reservationKey(hold)) ? sentAt + hold.leaseMs : 0;
  }

  #every(ms: number, run: () => Promise<unknown>): void {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      run()
        .catch(this.options.onFault)
        .finally(() => (isRunning = false));
    }, ms);
    timer.unref();
    this.#timers.push(timer);
  }
}

function plus(tallies: ReadonlyMap<string, Tally>, reservations: readonly Reservation[]): ReadonlyMap<string, Tally> {
  const sums = new Map(tallies);
  for (const { charges, amount } of reservations) {
    for (const charge of charges) {
      const tally = sums.get(chargeKey(charge));
      if (tally) sums.set(chargeKey(charge), { spent: tally.spent, reserved: sumOf(tally.reserved, amount) });
    }
  }
  return sums;
}
