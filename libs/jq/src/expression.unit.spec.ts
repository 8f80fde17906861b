import { describe, expect, it } from 'vitest';
import { compile, type Expression } from './expression.js';

const order = {
  id: 'o-1',
  total: 120.5,
  lines: [
    { sku: 'a', qty: 2, price: 10 },
    { sku: 'b', qty: 1, price: 100.5 },
  ],
};

function expression(text: string, variables: string[] = []): Expression {
  const compiled = compile(text, { variables });
  if (!compiled.ok) throw new Error(compiled.failure.message);
  return compiled.expression;
}

describe('first', () => {
  it('gives the first of many outputs', () => {
    expect(expression('.lines[].sku').first(order, {})).toEqual({ ok: true, value: 'a' });
  });

  it('gives null when there is no output', () => {
    expect(expression('empty').first(order, {})).toEqual({ ok: true, value: null });
  });

  it('does not compute what follows the first output', () => {
    expect(expression('1, error("late")').first(null, {})).toEqual({ ok: true, value: 1 });
  });

  it('gives null for an empty program applied to null and the input for any other', () => {
    expect(expression('').first(order, {})).toEqual({ ok: true, value: order });
  });
});

describe('all', () => {
  it('gives every output in order', () => {
    expect(expression('.lines[] | .qty * .price').all(order, {})).toEqual({ ok: true, values: [20, 100.5] });
  });

  it('fails as a whole when an output cannot be computed', () => {
    expect(expression('1, error("late")').all(null, {})).toMatchObject({ ok: false, failure: { code: 'expression-failed' } });
  });
});

describe('variables', () => {
  it('are read by name without the dollar sign', () => {
    expect(expression('$context.user + $input', ['context', 'input']).first(null, { context: { user: 'ann' }, input: '!' })).toEqual({ ok: true, value: 'ann!' });
  });

  it('are null when declared but not given', () => {
    expect(expression('$context', ['context']).first(1, {})).toEqual({ ok: true, value: null });
  });

  it('are never read from the prototype of what is given', () => {
    expect(expression('$toString', ['toString']).first(1, {})).toEqual({ ok: true, value: null });
  });

  it('give way to a binding of the same name', () => {
    expect(expression('$x, (2 as $x | $x), $x', ['x']).all(null, { x: 1 })).toEqual({ ok: true, values: [1, 2, 1] });
  });

  it('that nobody declares are a syntax failure with their place', () => {
    const compiled = compile('.a\n  + $nope', { variables: ['input'] });
    expect(compiled).toMatchObject({ ok: false, failure: { code: 'expression-syntax', details: { line: 2, column: 5, fragment: '$nope' } } });
  });
});

describe('now', () => {
  it('is the instant that is given, in seconds', () => {
    expect(expression('now').first(null, {}, { now: 1_700_000_000_500 })).toEqual({ ok: true, value: 1_700_000_000.5 });
  });

  it('fails without an instant instead of reading a clock', () => {
    expect(expression('now').first(null, {})).toMatchObject({ ok: false, failure: { code: 'expression-failed' } });
  });
});

describe('failures', () => {
  it('carry the value of an uncaught error', () => {
    expect(expression('error({code: 7})').first(null, {})).toMatchObject({
      ok: false,
      failure: { code: 'expression-failed', retryable: false, details: { error: { code: 7 } } },
    });
  });

  it('say what the budget was and which part ran out', () => {
    const outcome = expression('repeat(1)').all(null, {}, { budget: { steps: 50, depth: 50, bytes: 50_000 } });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'expression-budget', details: { part: 'steps', max: 50 } } });
  });

  it('of the budget cannot be caught by the expression', () => {
    expect(expression('try repeat(.) catch "caught"').all(null, {})).toMatchObject({ ok: false, failure: { code: 'expression-budget' } });
  });
});

describe('outputs', () => {
  it('hold finite numbers only', () => {
    expect(expression('[nan, infinite, -infinite, {a: nan}, 1e999]').first(null, {})).toEqual({
      ok: true,
      value: [null, Number.MAX_VALUE, -Number.MAX_VALUE, { a: null }, Number.MAX_VALUE],
    });
  });

  it('leave inputs and variables as they were', () => {
    const input = Object.freeze({ a: Object.freeze([Object.freeze({ n: 1 }), Object.freeze({ n: 2 })]) });
    const variables = Object.freeze({ v: Object.freeze([3, 1, 2]) });
    const changed = expression('.a[].n += 10 | .b = ($v | sort) | del(.a[0])', ['v']).first(input, variables);
    expect(changed).toEqual({ ok: true, value: { a: [{ n: 12 }], b: [1, 2, 3] } });
    expect(input).toEqual({ a: [{ n: 1 }, { n: 2 }] });
    expect(variables).toEqual({ v: [3, 1, 2] });
  });

  it('of one compiled expression do not depend on earlier evaluations', () => {
    const counted = expression('reduce .[] as $x ([]; . + [$x]) | length');
    expect([counted.first([1, 2], {}), counted.first([1], {})]).toEqual([
      { ok: true, value: 2 },
      { ok: true, value: 1 },
    ]);
  });
});
