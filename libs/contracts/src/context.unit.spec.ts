import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextFromAttributes, contextOf, contextToAttributes } from './context.js';
import type { Context } from './generated/weft/v1/context.js';

const text = fc
  .oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', 'a b', '%', '%%', '%20', '100%', 'ünïcödé 🧵', '"quoted"', 'a\nb', '\u0000'))
  .map((each) => each.toWellFormed());
const amount = fc.oneof(fc.nat(), fc.double({ min: 0, max: 2 ** 53, noNaN: true })).map((each) => each + 0 || 0);
const contexts: fc.Arbitrary<Context> = fc.record({
  tenant: text,
  actor: text,
  purpose: text,
  executionId: text,
  jobId: text,
  attempt: fc.nat(2 ** 32 - 1),
  traceparent: text,
  tracestate: text,
  deadlineMs: amount,
  budget: fc.option(fc.record({ moneyMicros: amount, tokens: amount, calls: amount }), { nil: undefined }),
  taint: fc.array(text, { maxLength: 5 }),
});

const carried = (context: Context): Context => {
  const attributes = contextToAttributes(context);
  return contextFromAttributes((name) => attributes[name]);
};

describe('the context as attributes', () => {
  it('comes out as it went in, every field, whatever it holds', () => {
    fc.assert(fc.property(contexts, (context) => void expect(carried(context)).toEqual(context)));
  });

  it('uses names that CloudEvents allows and values that any header carries', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        for (const [name, value] of Object.entries(contextToAttributes(context))) {
          expect(name).toMatch(/^[a-z0-9]{1,20}$/);
          expect(value).toMatch(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);
        }
      }),
    );
  });

  it('has an attribute for each field of the context', () => {
    const full: Context = {
      tenant: 't',
      actor: 'a',
      purpose: 'p',
      executionId: 'e',
      jobId: 'j',
      attempt: 1,
      traceparent: 'tp',
      tracestate: 'ts',
      deadlineMs: 2,
      budget: { moneyMicros: 3, tokens: 4, calls: 5 },
      taint: ['x'],
    };
    expect(Object.keys(contextToAttributes(full))).toHaveLength(Object.keys(full).length);
    expect(contextToAttributes(contextOf({ tenant: '' }))).toEqual({});
  });

  it.each([[['']], [['', '']], [['a', '']], [['', 'a']], [['%']], [['a b', 'c']]])('keeps taint labels apart: %j', (taint) => {
    expect(carried(contextOf({ tenant: 't', taint })).taint).toEqual(taint);
  });

  it('tells no budget from nothing left', () => {
    expect(carried(contextOf({ tenant: 't' })).budget).toBeUndefined();
    expect(carried(contextOf({ tenant: 't', budget: { moneyMicros: 0, tokens: 0, calls: 0 } })).budget).toEqual({ moneyMicros: 0, tokens: 0, calls: 0 });
  });

  it.each(['lots', '1', 'NaN NaN NaN', '-5 Infinity x'])('takes a budget that cannot be read for one with nothing left: %s', (budget) => {
    const read = contextFromAttributes((name) => (name === 'weftbudget' ? budget : undefined)).budget;
    expect(read).toEqual({ moneyMicros: budget === '1' ? 1 : 0, tokens: 0, calls: 0 });
  });

  it('ignores numbers that are none, and reads text that nobody encoded', () => {
    const attributes: Record<string, string> = { weftattempt: 'third', weftdeadline: 'Infinity', weftactor: '100% sure', wefttenant: '%E0%A4%A', unknown: 'x' };
    expect(contextFromAttributes((name) => attributes[name])).toEqual(contextOf({ tenant: '%E0%A4%A', actor: '100% sure' }));
  });

  it('replaces half a surrogate pair, which has no UTF-8 form', () => {
    expect(carried(contextOf({ tenant: 'a\ud800b' })).tenant).toBe('a\ufffdb');
  });
});
