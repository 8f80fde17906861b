import { isJsonObject, rejection, type Instant, type Json, type Rejection } from '@weft/kernel';
import { found } from './words.js';

export type DurationReading = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly rejection: Rejection };

/** A length of time: whole months of the calendar, as long as they are from the instant they are counted from, and milliseconds. */
export interface CalendarDuration {
  readonly months: number;
  readonly ms: number;
}

export type CalendarDurationReading = ({ readonly ok: true } & CalendarDuration) | { readonly ok: false; readonly rejection: Rejection };

/** The longest duration: 100 years of 365 days. Instants stay far from the limits of numbers and databases. */
export const DURATION_MS_MAX = 100 * 365 * 86_400_000;
const MONTHS_MAX = 100 * 12;

const UNIT_MS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 } as const;
const ISO = /^P(?!$)(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const ISO_UNITS_MS = [7 * UNIT_MS.days, UNIT_MS.days, UNIT_MS.hours, UNIT_MS.minutes, UNIT_MS.seconds];
const TEXT_CHARACTERS_MAX = 100;

/**
 * A duration of a fixed length in whole milliseconds, 0 to `DURATION_MS_MAX`: ISO 8601 text of weeks, days, hours, minutes and
 * seconds, or an object of `days`, `hours`, `minutes`, `seconds` and `milliseconds`, each an integer >= 0. Rejection code:
 * workflow-invalid, also for years and months, whose length depends on where they begin.
 */
export function parseDuration(value: Json): DurationReading {
  const reading = parseCalendarDuration(value);
  if (!reading.ok) return reading;
  if (reading.months > 0) return { ok: false, rejection: notADuration(`${found(value)}: years and months have no fixed length`) };
  return { ok: true, ms: reading.ms };
}

/**
 * A duration of at most 100 years, with years and months: ISO 8601 text, or an object of units as in `parseDuration`.
 * Rejection code: workflow-invalid. Source: Open Workflow Specification 1.0.3, dsl-reference.md#duration.
 */
export function parseCalendarDuration(value: Json): CalendarDurationReading {
  const duration = typeof value === 'string' ? isoDuration(value) : isJsonObject(value) ? unitsDuration(value) : undefined;
  if (duration && duration.ms <= DURATION_MS_MAX && duration.months <= MONTHS_MAX && Number.isInteger(duration.months)) return { ok: true, ...duration };
  return { ok: false, rejection: notADuration(problem(value, duration)) };
}

/** The instant that a duration ends at when it begins at `from`, counted in UTC: a month after January 31 is the last day of February. */
export function endOfDuration(from: Instant, { months, ms }: CalendarDuration): Instant {
  if (months === 0) return from + ms;
  const end = new Date(from);
  const day = end.getUTCDate();
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(day, lastDay));
  return end.getTime() + ms;
}

function isoDuration(text: string): CalendarDuration | undefined {
  const parts = text.length > TEXT_CHARACTERS_MAX ? null : ISO.exec(text);
  if (!parts) return undefined;
  const [years = 0, months = 0, ...units] = parts.slice(1).map((part?: string) => Number(part ?? 0));
  return { months: years * 12 + months, ms: Math.round(ISO_UNITS_MS.reduce((sum, unit, i) => sum + units[i]! * unit, 0)) };
}

function unitsDuration(units: { readonly [unit: string]: Json }): CalendarDuration | undefined {
  const entries = Object.entries(units);
  if (entries.length === 0) return undefined;
  let ms = 0;
  for (const [unit, amount] of entries) {
    if (!isUnit(unit) || typeof amount !== 'number' || !Number.isInteger(amount) || amount < 0) return undefined;
    ms += amount * UNIT_MS[unit];
  }
  return { months: 0, ms };
}

const isUnit = (unit: string): unit is keyof typeof UNIT_MS => Object.hasOwn(UNIT_MS, unit);

const notADuration = (but: string): Rejection => rejection('workflow-invalid', `Expected a duration, as ISO 8601 text such as "PT30S" or an object such as { seconds: 30 }, but found ${but}.`);

function problem(value: Json, duration: CalendarDuration | undefined): string {
  const shown = isJsonObject(value) ? JSON.stringify(value).slice(0, 100) : found(value);
  if (!duration) return typeof value === 'string' && value.includes('${') ? `${shown}: ${expressionProblem(value)}` : shown;
  if (!Number.isInteger(duration.months)) return `${shown}: months come whole, since a part of one has no fixed length`;
  return `${isJsonObject(value) ? `${found(value)} ` : ''}${shown}, which is longer than 100 years`;
}

const expressionProblem = (text: string): string => (/^\s*\$\{/.test(text) ? 'an expression, which is not evaluated here' : 'an expression among other words, where it must be the whole text');
