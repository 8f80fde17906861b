// Cron expressions of five fields, in UTC: when the next time is.
import { rejection, type Instant, type Rejection } from '@weft/kernel';

/** A cron expression that was read: which values each field takes. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 = Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Whether a day counts that fits either the day of the month or the weekday: both were named. */
  readonly isEitherDay: boolean;
}

export type CronReading = { readonly ok: true; readonly cron: Cron } | { readonly ok: false; readonly rejection: Rejection };

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of the month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12, names: MONTHS },
  { name: 'weekday', from: 0, to: 7, names: WEEKDAYS },
];
const SHORTHANDS: Readonly<Record<string, string>> = { '@hourly': '0 * * * *', '@daily': '0 0 * * *', '@weekly': '0 0 * * 0', '@monthly': '0 0 1 * *', '@yearly': '0 0 1 1 *' };

/**
 * Reads minute, hour, day of the month, month and weekday: `*`, values, names, ranges `a-b`, steps `/n` and lists of these; or one of
 * `@hourly @daily @weekly @monthly @yearly`. A day has to fit both its month day and its weekday, or either when both are named.
 * Rejection: `workflow-invalid`. Source: crontab(5).
 */
export function parseCron(text: string): CronReading {
  const parts = (SHORTHANDS[text.trim()] ?? text).trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return refused(`Expected a cron expression of five fields (minute, hour, day of the month, month, weekday) but found ${parts.length} in ${quoted(text)}`);
  const sets = parts.map((part, index) => valuesOf(part, FIELDS[index]!));
  const wrong = sets.findIndex((set) => set === undefined);
  if (wrong !== -1) {
    const { name, from, to } = FIELDS[wrong]!;
    return refused(`Expected the ${name} of a cron expression to be *, values from ${from} to ${to}, ranges or steps but found ${quoted(parts[wrong]!)}`);
  }
  const [minutes, hours, days, months, weekdays] = sets as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekdays.delete(7)) weekdays.add(0);
  const cron = { minutes, hours, days, months, weekdays, isEitherDay: !parts[2]!.startsWith('*') && !parts[4]!.startsWith('*') };
  return nextCron(cron, 0) === undefined ? refused(`Expected a cron expression that fits a day but ${quoted(text)} fits none`) : { ok: true, cron };
}

// Of eight years one has a 29 February, also around a century without one.
const DAYS_LOOKED_AT = 366 * 8 + 1;
const DAY_MS = 86_400_000;

/** The first time after an instant; undefined when no day ever fits. */
export function nextCron(cron: Cron, after: Instant): Instant | undefined {
  const from = Math.floor(after / 60_000) * 60_000 + 60_000;
  let day = Math.floor(from / DAY_MS) * DAY_MS;
  for (let n = 0; n < DAYS_LOOKED_AT; n++, day += DAY_MS) {
    if (!fitsDay(cron, new Date(day))) continue;
    const found = timesOf(cron).find((time) => day + time >= from);
    if (found !== undefined) return day + found;
  }
  return undefined;
}

function fitsDay({ days, months, weekdays, isEitherDay }: Cron, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const [byDay, byWeekday] = [days.has(day.getUTCDate()), weekdays.has(day.getUTCDay())];
  return isEitherDay ? byDay || byWeekday : byDay && byWeekday;
}

/** Milliseconds into a day, in order. */
const timesOf = ({ hours, minutes }: Cron): readonly number[] => sorted(hours).flatMap((hour) => sorted(minutes).map((minute) => (hour * 60 + minute) * 60_000));

const sorted = (values: ReadonlySet<number>): readonly number[] => [...values].toSorted((left, right) => left - right);

/** Values of one field; undefined when it cannot be read. */
function valuesOf(part: string, field: Field): Set<number> | undefined {
  const values = new Set<number>();
  for (const piece of part.split(',')) {
    const [, range = '', step] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(piece) ?? [];
    const bounds = boundsOf(range, field, step !== undefined);
    const by = step === undefined ? 1 : Number(step);
    if (!bounds || by < 1 || bounds[0] > bounds[1]) return undefined;
    for (let value = bounds[0]; value <= bounds[1]; value += by) values.add(value);
  }
  return values;
}

function boundsOf(range: string, field: Field, hasStep: boolean): readonly [number, number] | undefined {
  if (range === '*') return [field.from, field.name === 'weekday' ? 6 : field.to];
  const [first = '', last, ...more] = range.split('-');
  const from = valueOf(first, field);
  const to = last === undefined ? (hasStep ? field.to : from) : valueOf(last, field);
  return from === undefined || to === undefined || more.length > 0 ? undefined : [from, to];
}

function valueOf(text: string, { from, to, names = [] }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  const value = named !== -1 ? named + from : /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= from && value <= to ? value : undefined;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));
const refused = (message: string): CronReading => ({ ok: false, rejection: rejection('workflow-invalid', `${message}.`) });
