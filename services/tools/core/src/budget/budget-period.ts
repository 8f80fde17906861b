// Calendar periods in UTC.
import type { Instant } from '@weft/kernel';
import type { BudgetPeriod } from './budget.js';

const DAY_MS = 86_400_000;

/** When the period that holds an instant began; 0 for a budget without an end. */
export function periodStart(per: BudgetPeriod, now: Instant): Instant {
  switch (per) {
    case 'total':
      return 0;
    case 'day':
      return Math.floor(now / DAY_MS) * DAY_MS;
    case 'month': {
      const day = Math.floor(now / DAY_MS);
      return (day - (civilOf(day).day - 1)) * DAY_MS;
    }
  }
}

/** When the next period begins; undefined for a budget without an end. */
export function periodEnd(per: BudgetPeriod, now: Instant): Instant | undefined {
  if (per === 'total') return undefined;
  const start = periodStart(per, now);
  // Every month has ended 31 days after its start, and its successor has not.
  return per === 'day' ? start + DAY_MS : periodStart('month', start + 31 * DAY_MS);
}

/** Day of the month of a day since the epoch. Source: days from civil, the proleptic Gregorian calendar in eras of 400 years. */
function civilOf(daysSinceEpoch: number): { readonly day: number } {
  const shifted = daysSinceEpoch + 719_468;
  const ofEra = shifted - Math.floor(shifted / 146_097) * 146_097;
  const yearOfEra = Math.floor((ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const dayOfYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  return { day: dayOfYear - Math.floor((153 * month + 2) / 5) + 1 };
}
