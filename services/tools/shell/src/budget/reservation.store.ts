// Reservations in PostgreSQL, which alone knows what is left.
import { execute, type Pool } from '@weft/adapter-postgres';
import { chargeKey, type Amount, type Charge, type Tally } from '@weft/tools/core';
import { tallyOf, type CounterRow } from './counter-row.js';
import { JOIN_SQL, OPEN_SQL, FORGET_SQL, RENEW_SQL, RESERVE_SQL, SETTLE_SQL, SWEEP_SQL } from './reservation-statements.js';

/** Names a reservation. */
export interface ReservationId {
  readonly tenant: string;
  /** Idempotency key of the job. */
  readonly key: string;
  /** Empty for a write; else names this carrying-out. */
  readonly hold: string;
}

/** A reservation that is to be taken. */
export interface Reservation extends ReservationId {
  readonly charges: readonly Charge[];
  readonly amount: Amount;
  readonly leaseMs: number;
}

export interface Ending extends ReservationId {
  readonly becomes: 'spent' | 'freed';
  /** Nothing when it is freed. */
  readonly used: Amount;
}

/** What a try to reserve came to: either all fitted, or none was taken. */
export interface Reserved {
  /** Figures of the counters before, by `chargeKey`. */
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly fits: boolean;
  /** Indices of the reservations that are new; others were there before. */
  readonly taken: ReadonlySet<number>;
}

interface ChargedRow extends CounterRow {
  readonly place: number;
  readonly fits: boolean;
  readonly taken: readonly number[];
}

const SWEEP_MAX = 500;
const FORGET = { reservationDays: 30, counterDays: 400, rows: 5_000 };

/** @param pool of the engine role. */
export class ReservationStore {
  // Counters that are known to be there.
  readonly #opened = new Set<string>();

  constructor(private readonly pool: Pool) {}

  /** Takes all of the reservations or none, and reads the counters of `looked` besides. @throws Fault */
  async reserve(reservations: readonly Reservation[], looked: readonly Charge[]): Promise<Reserved> {
    const charges = [...new Map([...reservations.flatMap((one) => one.charges), ...looked].map((charge) => [chargeKey(charge), charge])).values()];
    await this.#open(charges);
    const places = new Map(charges.map((charge, index) => [chargeKey(charge), index + 1]));
    const links = reservations.flatMap((one, index) => one.charges.map((charge) => [index + 1, places.get(chargeKey(charge))!] as const));
    const rows = await execute<ChargedRow>(this.pool, {
      name: 'tools-reserve-1',
      text: RESERVE_SQL,
      values: [
        ...ofCounters(charges),
        charges.map(({ caps }) => caps.moneyMicros ?? null),
        charges.map(({ caps }) => caps.tokens ?? null),
        charges.map(({ caps }) => caps.calls ?? null),
        ...ofIds(reservations),
        ...ofAmounts(reservations.map(({ amount }) => amount)),
        reservations.map(({ leaseMs }) => leaseMs),
        links.map(([hold]) => hold),
        links.map(([, counter]) => counter),
      ],
    });
    // A counter that was forgotten meanwhile is opened again.
    if (rows.length < charges.length) this.#opened.clear();
    return {
      tallies: new Map(rows.map((row) => [chargeKey(charges[row.place - 1]!), tallyOf(row)])),
      fits: rows[0]?.fits === true,
      taken: new Set((rows[0]?.taken ?? []).map((place) => place - 1)),
    };
  }

  /** State of reservations that were there before; those that are held live on for another lease. */
  async join(reservations: readonly (ReservationId & { readonly leaseMs: number })[]): Promise<ReadonlyMap<string, 'held' | 'spent' | 'freed' | null>> {
    const values = [...ofIds(reservations), reservations.map(({ leaseMs }) => leaseMs)];
    const rows = await execute<{ key: string; hold: string; state: 'held' | 'spent' | 'freed' | null }>(this.pool, { name: 'tools-join-reservations-1', text: JOIN_SQL, values });
    return new Map(rows.map((row) => [reservationKey(row), row.state]));
  }

  async settle(endings: readonly Ending[]): Promise<void> {
    await execute(this.pool, { name: 'tools-settle-1', text: SETTLE_SQL, values: [...ofIds(endings), endings.map(({ becomes }) => becomes), ...ofAmounts(endings.map(({ used }) => used))] });
  }

  /** @returns the reservations that are still held, by `reservationKey`. */
  async renew(reservations: readonly (ReservationId & { readonly leaseMs: number })[]): Promise<ReadonlySet<string>> {
    const values = [...ofIds(reservations), reservations.map(({ leaseMs }) => leaseMs)];
    const rows = await execute<{ key: string; hold: string }>(this.pool, { name: 'tools-renew-reservations-1', text: RENEW_SQL, values });
    return new Set(rows.map(reservationKey));
  }

  /** Ends what nobody has renewed. @returns how many were given back, and how many count as spent. */
  async sweep(): Promise<{ readonly freed: number; readonly spent: number }> {
    const total = { freed: 0, spent: 0 };
    for (;;) {
      const [row] = await execute<{ freed: number; spent: number }>(this.pool, { name: 'tools-sweep-reservations-1', text: SWEEP_SQL, values: [SWEEP_MAX] });
      total.freed += row?.freed ?? 0;
      total.spent += row?.spent ?? 0;
      if ((row?.freed ?? 0) + (row?.spent ?? 0) < SWEEP_MAX) return total;
    }
  }

  async forget(): Promise<void> {
    await execute(this.pool, { name: 'tools-forget-reservations-1', text: FORGET_SQL, values: [FORGET.reservationDays, FORGET.counterDays, FORGET.rows] });
  }

  async #open(charges: readonly Charge[]): Promise<void> {
    const unknown = charges.filter((charge) => !this.#opened.has(chargeKey(charge)));
    if (unknown.length === 0) return;
    await execute(this.pool, { name: 'tools-open-counters-1', text: OPEN_SQL, values: ofCounters(unknown) });
    if (this.#opened.size > OPENED_MAX) this.#opened.clear();
    for (const charge of unknown) this.#opened.add(chargeKey(charge));
  }
}

// Each execution with a budget has a counter.
const OPENED_MAX = 10_000;

/** A reservation among those of all tenants: an idempotency key begins with its tenant. */
export const reservationKey = ({ key, hold }: { readonly key: string; readonly hold: string }): string => `${key}\u0000${hold}`;

const ofCounters = (charges: readonly Charge[]): unknown[] => [charges.map(({ tenant }) => tenant), charges.map(({ counter }) => counter), charges.map(({ start }) => new Date(start))];
const ofIds = (ids: readonly ReservationId[]): unknown[] => [ids.map(({ tenant }) => tenant), ids.map(({ key }) => key), ids.map(({ hold }) => hold)];
const ofAmounts = (amounts: readonly Amount[]): unknown[] => [amounts.map(({ moneyMicros }) => moneyMicros), amounts.map(({ tokens }) => tokens), amounts.map(({ calls }) => calls)];
