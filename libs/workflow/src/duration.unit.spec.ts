import { describe, expect, it } from 'vitest';
import { DURATION_MS_MAX, parseDuration } from './duration.js';

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
    ['${ .x }', 'an expression, which this engine does not evaluate in durations yet'],
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
