import { isJsonObject, rejection, type Json, type Rejection } from '@weft/kernel';

export type DurationReading = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly rejection: Rejection };

const UNIT_MS: Readonly<Record<string, number>> = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 };
const ISO = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;

/** A duration in milliseconds: ISO 8601 text (weeks to milliseconds; months and years have no fixed length) or an object of units. */
export function parseDuration(value: Json): DurationReading {
  if (typeof value === 'string') {
    const parts = ISO.exec(value);
    if (parts) {
      const [, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
      return { ok: true, ms: Number(weeks) * 604_800_000 + Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1_000) };
    }
  } else if (isJsonObject(value) && Object.keys(value).length > 0 && Object.entries(value).every(([unit, amount]) => unit in UNIT_MS && typeof amount === 'number' && amount >= 0)) {
    return { ok: true, ms: Object.entries(value).reduce((sum, [unit, amount]) => sum + UNIT_MS[unit]! * (amount as number), 0) };
  } else if (value === 0) return { ok: true, ms: 0 };
  return { ok: false, rejection: rejection('workflow-invalid', `Expected a duration, as ISO 8601 text such as "PT5S" or an object such as { seconds: 5 }, but got ${JSON.stringify(value)}.`) };
}
