// When a definition starts by itself: after a time, at times, or when events come.
import { invariant, isJsonObject, type Instant, type Json } from '@weft/kernel';
import { nextCron, parseCron, parseDuration, type Cron } from '@weft/workflow';

/** A schedule in time. `after` counts from the end of the execution before. */
export type TimedSchedule = { readonly kind: 'every' | 'after'; readonly ms: number } | { readonly kind: 'cron'; readonly cron: Cron };

export type ScheduleKind = TimedSchedule['kind'] | 'on';

export const SCHEDULE_KINDS: readonly ScheduleKind[] = ['every', 'cron', 'after', 'on'];

/** What becomes of times that went by unnoticed: one execution for all of them, one for each, or none. */
export type CatchUp = 'one' | 'all' | 'none';

/** A time that went by less long ago than this is not missed. */
export const MISSED_AFTER_MS = 60_000;

/** What stands under `schedule` of a definition, one entry for each kind. */
export function schedulesOf(definition: Json): readonly { readonly kind: ScheduleKind; readonly given: Json }[] {
  const schedule = isJsonObject(definition) && isJsonObject(definition['schedule']) ? definition['schedule'] : {};
  return SCHEDULE_KINDS.flatMap((kind) => (schedule[kind] === undefined ? [] : [{ kind, given: schedule[kind] }]));
}

/** A published schedule. */
export function timedSchedule(kind: TimedSchedule['kind'], given: Json): TimedSchedule {
  if (kind === 'cron') {
    const reading = parseCron(String(given));
    invariant(reading.ok, 'a published cron expression can be read');
    return { kind, cron: reading.cron };
  }
  const reading = parseDuration(given);
  invariant(reading.ok, 'a published duration can be read');
  // A duration of nothing would start as often as anybody looks.
  return { kind, ms: Math.max(INTERVAL_MS_MIN, reading.ms) };
}

const INTERVAL_MS_MIN = 1_000;

/** The first time, counted from when the version was deployed; undefined when there is none. */
export const firstDue = (schedule: TimedSchedule, deployedAt: Instant): Instant | undefined => (schedule.kind === 'cron' ? nextCron(schedule.cron, deployedAt) : deployedAt + schedule.ms);

/** Whether an execution is started for a time at all. */
export const isStarted = (due: Instant, now: Instant, catchUp: CatchUp): boolean => catchUp !== 'none' || now - due < MISSED_AFTER_MS;

/** The time after one that is dealt with; undefined: none until an execution ends. */
export function dueAfter(schedule: TimedSchedule, due: Instant, now: Instant, catchUp: CatchUp): Instant | undefined {
  if (schedule.kind === 'after') return undefined;
  const from = catchUp === 'all' ? due : Math.max(due, now);
  if (schedule.kind === 'cron') return nextCron(schedule.cron, from);
  // The times stay where they were, however late it is.
  return due + schedule.ms * (Math.floor((from - due) / schedule.ms) + 1);
}
