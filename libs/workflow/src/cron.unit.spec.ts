import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextCron, parseCron, type Cron } from './cron.js';

const at = (text: string): number => Date.parse(`${text}Z`);
const read = (text: string): Cron => {
  const reading = parseCron(text);
  return reading.ok ? reading.cron : expect.unreachable(reading.rejection.message);
};
const next = (text: string, after: string): string => new Date(nextCron(read(text), at(after))!).toISOString().slice(0, 16);

describe('the next time of a cron expression', () => {
  it.each([
    ['0 0 * * *', '2026-03-01T00:00', '2026-03-02T00:00'],
    ['*/15 * * * *', '2026-03-01T10:16', '2026-03-01T10:30'],
    ['5/20 * * * *', '2026-03-01T10:26', '2026-03-01T10:45'],
    ['30 9 * * mon-fri', '2026-03-06T10:00', '2026-03-09T09:30'],
    ['0 12 1,15 * *', '2026-03-02T00:00', '2026-03-15T12:00'],
    ['0 0 29 2 *', '2026-03-01T00:00', '2028-02-29T00:00'],
    ['0 0 29 feb *', '2096-03-01T00:00', '2104-02-29T00:00'],
    ['0 0 * * 7', '2026-03-02T00:00', '2026-03-08T00:00'],
    ['@weekly', '2026-03-02T00:00', '2026-03-08T00:00'],
    ['59 23 31 12 *', '2026-12-31T23:59', '2027-12-31T23:59'],
  ])('of %s after %s is %s', (text, after, expected) => expect(next(text, after)).toBe(expected));

  it('counts a day that fits either, when both the day of the month and the weekday are named', () => {
    expect([next('0 0 13 * fri', '2026-03-11T12:00'), next('0 0 13 * fri', '2026-03-13T12:00')]).toEqual(['2026-03-13T00:00', '2026-03-20T00:00']);
    expect(next('0 0 13 * *', '2026-03-13T12:00')).toBe('2026-04-13T00:00');
  });

  it('is later than what it is asked for, and there is none between them', () => {
    const minutes = fc.constantFrom('*', '0', '*/7', '10-20/3', '59');
    const hours = fc.constantFrom('*', '3', '*/5', '8-18');
    fc.assert(
      fc.property(minutes, hours, fc.integer({ min: 0, max: 4_000_000_000_000 }), (minute, hour, after) => {
        const cron = read(`${minute} ${hour} * * *`);
        const found = nextCron(cron, after)!;
        expect(found).toBeGreaterThan(after);
        const fits = (time: number): boolean => cron.minutes.has(new Date(time).getUTCMinutes()) && cron.hours.has(new Date(time).getUTCHours());
        expect(fits(found)).toBe(true);
        for (let time = Math.ceil((after + 1) / 60_000) * 60_000; time < found; time += 60_000) expect(fits(time)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a cron expression that cannot be read', () => {
  it.each([
    ['* * * *', 'five fields (minute, hour, day of the month, month, weekday) but found 4'],
    ['60 * * * *', 'the minute of a cron expression to be *, values from 0 to 59, ranges or steps but found "60"'],
    ['* 5-2 * * *', 'the hour'],
    ['* * 0 * *', 'the day of the month'],
    ['* * * foo *', 'the month'],
    ['* * * * 1-2-3', 'the weekday'],
    ['*/0 * * * *', 'the minute'],
    [', * * * *', 'the minute'],
    ['0 0 31 2 *', 'fits none'],
  ])('%j is told what was expected', (text, said) => {
    const reading = parseCron(text);
    expect(reading.ok ? '' : reading.rejection.message).toContain(said);
  });
});
