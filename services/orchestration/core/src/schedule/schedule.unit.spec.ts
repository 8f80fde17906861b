import { describe, expect, it } from 'vitest';
import { dueAfter, firstDue, isStarted, schedulesOf, timedSchedule } from './schedule.js';

const minutely = timedSchedule('every', { minutes: 1 });
const hourly = timedSchedule('cron', '0 * * * *');
const HOUR = 3_600_000;

describe('a schedule', () => {
  it('is listed by kind, and there is none where a document has none', () => {
    expect(schedulesOf({ schedule: { cron: '0 0 * * *', every: 'PT1H' } })).toEqual([
      { kind: 'every', given: 'PT1H' },
      { kind: 'cron', given: '0 0 * * *' },
    ]);
    expect(schedulesOf({ do: [] })).toEqual([]);
  });

  it('counts its first time from when it was deployed', () => {
    expect(firstDue(minutely, 5)).toBe(60_005);
    expect(firstDue(timedSchedule('after', 'PT2S'), 5)).toBe(2_005);
    expect(firstDue(hourly, 5)).toBe(HOUR);
  });

  it('keeps its times where they were, however late it is', () => {
    expect(dueAfter(minutely, 60_000, 60_900, 'one')).toBe(120_000);
    expect(dueAfter(minutely, 60_000, 200_000, 'one')).toBe(240_000);
    expect(dueAfter(hourly, HOUR, 4.5 * HOUR, 'one')).toBe(5 * HOUR);
  });

  it('makes up for missed times once, for each, or not at all', () => {
    expect(dueAfter(minutely, 60_000, 200_000, 'all')).toBe(120_000);
    expect(dueAfter(hourly, HOUR, 4.5 * HOUR, 'all')).toBe(2 * HOUR);
    expect([isStarted(0, 59_999, 'none'), isStarted(0, 60_000, 'none'), isStarted(0, HOUR, 'one')]).toEqual([true, false, true]);
  });

  it('of `after` has no next time until its execution has ended', () => {
    expect(dueAfter(timedSchedule('after', 'PT1M'), 0, 1, 'one')).toBeUndefined();
  });

  it('never starts more often than once a second', () => {
    expect(timedSchedule('every', { milliseconds: 1 })).toEqual({ kind: 'every', ms: 1_000 });
  });
});
