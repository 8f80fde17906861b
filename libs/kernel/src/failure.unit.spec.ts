import { describe, expect, it } from 'vitest';
import { assertNever, Defect, invariant, refuse, Refused, rejection } from './failure.js';

describe('rejection', () => {
  it('is a value that is not to be tried again unless it says so', () => {
    expect(rejection('no-route', 'Expected a route but there is none.')).toEqual({ code: 'no-route', message: 'Expected a route but there is none.', retryable: false });
    expect(rejection('rate-limited', 'm', { retryable: true, retryAfterMs: 50, details: { limit: 3 } })).toEqual({
      code: 'rate-limited',
      message: 'm',
      retryable: true,
      retryAfterMs: 50,
      details: { limit: 3 },
    });
  });

  it('travels as a Refused where answers are thrown', () => {
    const refusal = (): never => refuse('conflict', 'Expected a new version but this one is taken.', { details: { version: '1' } });
    expect(refusal).toThrow(Refused);
    expect(refusal).toThrow(
      expect.objectContaining({
        name: 'Refused',
        message: 'Expected a new version but this one is taken.',
        rejection: { code: 'conflict', message: 'Expected a new version but this one is taken.', retryable: false, details: { version: '1' } },
      }),
    );
  });
});

describe('invariant', () => {
  it.each([false, null, undefined, 0, ''])('takes %j for broken: a Defect, never a Refused', (condition) => {
    expect(() => invariant(condition, 'a jar has a lid')).toThrow(expect.objectContaining({ name: 'Defect', message: 'a jar has a lid' }));
    expect(new Defect('x')).not.toBeInstanceOf(Refused);
  });

  it('lets what holds pass', () => {
    expect(() => invariant(1, 'never')).not.toThrow();
  });

  it('shows what no switch was made for', () => {
    expect(() => assertNever({ kind: 'new' } as never, 'event')).toThrow('unexpected event: {"kind":"new"}');
  });
});
