import { describe, expect, it } from 'vitest';
import { DURATION_MS_MAX, endOfDuration, parseCalendarDuration, parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each([
    ['PT30S', 30_000],
    ['PT0.5S', 500],
    ['P1DT2H3M4.005S', 93_784_005],
    ['P2W', 1_209_600_000],
    ['PT1.5H', 5_400_000],
    ['PT0S', 0],
    ['P36500D', DURATION_MS_MAX],
    [{ seconds: 30 }, 30_000],
    [{ days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1 }, 90_061_001],
    [{ milliseconds: 0 }, 0],
  ])('reads %j as %d ms', (value, ms) => {
    expect(parseDuration(value)).toEqual({ ok: true, ms });
  });

  it.each([
    ['P', '"P"'],
    ['PT', '"PT"'],
    ['30s', '"30s"'],
    ['-PT1S', '"-PT1S"'],
    ['P1Y', 'years and months have no fixed length'],
    ['P1Y2M3D', 'years and months have no fixed length'],
    ['${ .x }', 'an expression, which is not evaluated here'],
    ['PT${ .x }S', 'an expression among other words, where it must be the whole text'],
    ['P36501D', 'which is longer than 100 years'],
    [`P${'9'.repeat(400)}D`, 'found "P999'],
    [{}, 'found {}'],
    [{ seconds: -1 }, 'found {"seconds":-1}'],
    [{ seconds: 0.5 }, 'found {"seconds":0.5}'],
    [{ toString: 1 }, 'found {"toString":1}'],
    [{ days: 1e300 }, 'which is longer than 100 years'],
    [30, 'found the number 30'],
    [null, 'found null'],
  ])('refuses %j', (value, words) => {
    const reading = parseDuration(value);
    expect(reading).toMatchObject({ ok: false, rejection: { code: 'workflow-invalid', message: expect.stringMatching(/^Expected a duration, as ISO 8601 text such as "PT30S"/) } });
    expect(!reading.ok && reading.rejection.message).toContain(words);
  });
});

describe('parseCalendarDuration', () => {
  it.each([
    ['P1Y', 12, 0],
    ['P1Y2M3DT4S', 14, 259_204_000],
    ['P0.5Y', 6, 0],
    ['PT30S', 0, 30_000],
    [{ hours: 1 }, 0, 3_600_000],
    ['P100Y', 1200, 0],
  ])('reads %j', (value, months, ms) => {
    expect(parseCalendarDuration(value)).toEqual({ ok: true, months, ms });
  });

  it.each([
    ['P0.5M', 'months come whole'],
    ['P101Y', 'which is longer than 100 years'],
    ['1 month', 'found "1 month"'],
  ])('refuses %j', (value, words) => {
    const reading = parseCalendarDuration(value);
    expect(!reading.ok && reading.rejection.message).toContain(words);
  });
});

describe('endOfDuration', () => {
  it.each([
    ['2027-01-31T10:00:00Z', 'P1M', '2027-02-28T10:00:00Z'],
    ['2028-01-31T10:00:00Z', 'P1M', '2028-02-29T10:00:00Z'],
    ['2028-02-29T00:00:00Z', 'P1Y', '2029-02-28T00:00:00Z'],
    ['2026-12-15T00:00:00Z', 'P1M1DT1H', '2027-01-16T01:00:00Z'],
    ['2026-12-15T00:00:00Z', 'PT1H', '2026-12-15T01:00:00Z'],
  ])('ends from %s after %s at %s', (from, text, end) => {
    const duration = parseCalendarDuration(text);
    expect(duration.ok && endOfDuration(Date.parse(from), duration)).toBe(Date.parse(end));
  });
});
