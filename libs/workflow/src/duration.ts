import { isJsonObject, rejection, type Json, type Rejection } from '@weft/kernel';
import { found } from './words.js';

export type DurationReading = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly rejection: Rejection };

/** The longest duration: 100 years of 365 days. Instants stay far from the limits of numbers and databases. */
export const DURATION_MS_MAX = 100 * 365 * 86_400_000;

const UNIT_MS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 } as const;
const ISO = /^P(?!$)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const ISO_UNITS_MS = [7 * UNIT_MS.days, UNIT_MS.days, UNIT_MS.hours, UNIT_MS.minutes, UNIT_MS.seconds];
const CALENDAR = /^P(?:[\d.]+[YMWD])*[\d.]+[YM]/;
const TEXT_CHARACTERS_MAX = 100;

/**
 * A duration in whole milliseconds, 0 to `DURATION_MS_MAX`: ISO 8601 text of weeks, days, hours, minutes and seconds, or an
 * object of `days`, `hours`, `minutes`, `seconds` and `milliseconds`, each an integer >= 0. Rejection code: workflow-invalid.
 * Source: Open Workflow Specification 1.0.3, dsl-reference.md#duration; years, months and expressions are not carried out.
 */
export function parseDuration(value: Json): DurationReading {
  const ms = typeof value === 'string' ? isoMs(value) : isJsonObject(value) ? unitsMs(value) : undefined;
  if (ms !== undefined && ms <= DURATION_MS_MAX) return { ok: true, ms };
  return { ok: false, rejection: rejection('workflow-invalid', `Expected a duration, as ISO 8601 text such as "PT30S" or an object such as { seconds: 30 }, but found ${problem(value, ms)}.`) };
}

function isoMs(text: string): number | undefined {
  const parts = text.length > TEXT_CHARACTERS_MAX ? null : ISO.exec(text);
  return parts ? Math.round(ISO_UNITS_MS.reduce((sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * unit, 0)) : undefined;
}

function unitsMs(units: { readonly [unit: string]: Json }): number | undefined {
  const entries = Object.entries(units);
  if (entries.length === 0) return undefined;
  let ms = 0;
  for (const [unit, amount] of entries) {
    if (!isUnit(unit) || typeof amount !== 'number' || !Number.isInteger(amount) || amount < 0) return undefined;
    ms += amount * UNIT_MS[unit];
  }
  return ms;
}

const isUnit = (unit: string): unit is keyof typeof UNIT_MS => Object.hasOwn(UNIT_MS, unit);

function problem(value: Json, ms: number | undefined): string {
  if (ms !== undefined) return `${found(value)}${isJsonObject(value) ? ` ${JSON.stringify(value).slice(0, 100)}` : ''}, which is longer than 100 years`;
  if (typeof value === 'string' && value.includes('${')) return `${found(value)}: an expression, which this engine does not evaluate in durations yet`;
  if (typeof value === 'string' && CALENDAR.test(value)) return `${found(value)}: years and months have no fixed length`;
  return isJsonObject(value) ? JSON.stringify(value).slice(0, 100) : found(value);
}
