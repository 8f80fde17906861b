// Which of several reservations fit into what is left, first come, first served.
import { rejection, type Failure } from '@weft/kernel';
import { budgetTitle, NOTHING, RESOURCES, sumOf, type Amount, type Resource } from './budget.js';
import type { Charge } from './charge.js';

/** What a counter has seen. */
export interface Tally {
  readonly spent: Amount;
  readonly reserved: Amount;
}

export const EMPTY_TALLY: Tally = { spent: NOTHING, reserved: NOTHING };

/** What somebody wants to spend, and what it draws on. */
export interface Wish {
  readonly charges: readonly Charge[];
  readonly amount: Amount;
}

/** Why a wish cannot be fulfilled: the first charge without room, and what is missing. */
export interface Shortage {
  readonly charge: Charge;
  readonly resource: Resource;
  readonly tally: Tally;
}

/** A counter in a map of counters. */
export const chargeKey = ({ tenant, counter, start }: Pick<Charge, 'tenant' | 'counter' | 'start'>): string => `${tenant}\u0000${counter}\u0000${start}`;

/**
 * Goes through wishes in order and grants each that fits all its charges beside those granted before it; a wish that does not fit takes nothing.
 * @param tallies by `chargeKey`; a missing one is empty.
 * @returns for each wish undefined when it is granted, else what it lacks.
 */
export function fit(wishes: readonly Wish[], tallies: ReadonlyMap<string, Tally>): readonly (Shortage | undefined)[] {
  const taken = new Map<string, Amount>();
  return wishes.map(({ charges, amount }) => {
    for (const charge of charges) {
      const key = chargeKey(charge);
      const tally = tallies.get(key) ?? EMPTY_TALLY;
      const reserved = sumOf(tally.reserved, taken.get(key) ?? NOTHING);
      const resource = RESOURCES.find((one) => {
        const cap = charge.caps[one];
        return cap !== undefined && amount[one] > 0 && tally.spent[one] + reserved[one] + amount[one] > cap;
      });
      if (resource) return { charge, resource, tally: { spent: tally.spent, reserved } };
    }
    for (const charge of charges) taken.set(chargeKey(charge), sumOf(taken.get(chargeKey(charge)) ?? NOTHING, amount));
    return undefined;
  });
}

const NAMES: Readonly<Record<Resource, string>> = { moneyMicros: 'money', tokens: 'tokens', calls: 'calls' };

/** The failure of a job that is over budget: code `budget-exceeded`, with the budget and its figures in the details. Money is in millionths. */
export function budgetExceeded({ charge, resource, tally }: Shortage, amount: Amount): Failure {
  const { scope, name, per } = charge.budget;
  const cap = charge.caps[resource] ?? 0;
  const [spent, reserved, asked] = [tally.spent[resource], tally.reserved[resource], amount[resource]];
  const inUnits = (value: number): string => (resource === 'moneyMicros' ? `${value / 1_000_000}` : `${value} ${NAMES[resource]}`);
  return rejection(
    'budget-exceeded',
    `Expected ${inUnits(asked)} within the budget of ${budgetTitle({ scope, name, per })} but of ${inUnits(cap)} ${inUnits(spent)} are spent and ${inUnits(reserved)} reserved.`,
    { details: { scope, name, per, resource: NAMES[resource], cap, spent, reserved, asked, ...(charge.end === undefined ? {} : { renewsAtMs: charge.end }) } },
  );
}
