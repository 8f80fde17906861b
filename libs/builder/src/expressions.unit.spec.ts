import type { Json } from '@weft/kernel';
import { compile } from '@weft/jq';
import { describe, expect, it } from 'vitest';
import {
  add,
  and,
  at,
  BuilderError,
  contains,
  div,
  eq,
  field,
  filterItems,
  gt,
  handles,
  has,
  iff,
  info,
  input,
  it as current,
  join,
  jq,
  length,
  mapItems,
  mul,
  not,
  or,
  orElse,
  output,
  secret,
  set,
  startsWith,
  sub,
  text,
} from './index.js';
import { JQ, type Expression, type Place } from './expression.js';

const written = (value: Expression, place: Place = 'task'): string => value[JQ](place).text;
function evaluate(text: string, value: Json): Json {
  const compiled = compile(text);
  if (!compiled.ok) throw new Error(`${text}: ${compiled.failure.message}`);
  const outcome = compiled.expression.first(value, {}, {});
  if (!outcome.ok) throw new Error(`${text}: ${outcome.failure.message}`);
  return outcome.value;
}

const { input: order } = handles<{ customer: { id: string; 'first name': string }; items: { price: number; tags: string[] }[]; total: number; note?: string }>();

describe('handles', () => {
  it('compile to paths', () => {
    expect(written(order.customer.id)).toBe('.customer.id');
    expect(written(order)).toBe('.');
    expect(written(order.customer['first name'])).toBe('.customer["first name"]');
    expect(written(at(order.items, -1).price)).toBe('.items[-1].price');
    expect(written(field(input, 'content-type'))).toBe('.["content-type"]');
    expect(written(input.list[0].a)).toBe('.list[0].a');
    expect(written(info.workflow.id)).toBe('$workflow.id');
    expect(written(secret('api-key'))).toBe('$secrets["api-key"]');
  });

  it('mean the same value wherever they stand', () => {
    expect([written(input.a, 'before'), written(input.a), written(input.a, 'output'), written(input.a, 'export'), written(input.a, 'event')]).toEqual(['.a', '.a', '$input.a', '$input.a', '$input.a']);
    expect([written(output.a, 'output'), written(output.a, 'export'), written(output.a, 'workflow')]).toEqual(['.a', '.a', '.a']);
    expect(written(current.a, 'event')).toBe('.a');
  });

  it('are refused where they mean nothing, with what to write instead', () => {
    expect(() => set({ a: output.a })).toThrow(new BuilderError('Expected `output` only in `output.as` and `export.as`: elsewhere a task has no output yet.'));
    expect(() => written(input.a, 'workflow')).toThrow(/Expected `output` or `context` in `output.as` of the workflow but found `input`/);
  });
});

describe('operators', () => {
  it.each<[string, Expression, unknown]>([
    ['parentheses where jq would group differently', mul(add(order.total, 1), sub(order.total, sub(order.total, 3))), 33],
    ['division from the left', div(div(order.total, 2), 5), 1],
    ['and within or', or(and(gt(order.total, 5), eq(order.customer.id, 'x')), eq(order.customer.id, 'c1')), true],
    ['or within and', and(or(gt(order.total, 50), true), not(eq(order.note, 'x'))), true],
    ['comparisons of comparisons', eq(gt(order.total, 5), true), true],
    ['what stands for a missing value', orElse(order.note, orElse(order.customer.id, 'none')), 'c1'],
    ['a negative number', sub(order.total, -1), 11],
    ['choices', iff(gt(order.total, 5), { big: order.total }, 'small'), { big: 10 }],
    [
      'lists of items',
      mapItems(
        filterItems(order.items, (item) => contains(item.tags, ['a'])),
        (item) => ({ price: item.price, of: order.customer.id }),
      ),
      [{ price: 4, of: 'c1' }],
    ],
    ['loops within loops', mapItems(order.items, (item) => mapItems(item.tags, (tag) => text`${tag}${item.price}`)), [['a4'], ['b6', 'c6']]],
    ['functions of an argument that is an expression', startsWith(order.customer.id, text`${'c'}`), true],
    ['fields that are there', has(order, 'total'), true],
    ['lengths', gt(length(order.items), 1), true],
    [
      'texts joined',
      join(
        mapItems(order.items, (item) => item.price),
        ', ',
      ),
      '4, 6',
    ],
  ])('write %s', (_, value, expected) => {
    expect(
      evaluate(written(value), {
        customer: { id: 'c1' },
        items: [
          { price: 4, tags: ['a'] },
          { price: 6, tags: ['b', 'c'] },
        ],
        total: 10,
      }),
    ).toEqual(expected);
  });
});

describe('templates', () => {
  it('put expressions into a text, whatever is in it', () => {
    expect(evaluate(written(text`"${order.customer.id}" \\(x)\n${add(order.total, 1)}`), { customer: { id: 'c1' }, total: 10 })).toBe('"c1" \\(x)\n11');
  });

  it('take jq as it is written, with expressions in parentheses where they need them', () => {
    expect(written(jq`[${order.items}[].price] | add * ${add(order.total, 1)}`)).toBe('[.items[].price] | add * (.total + 1)');
    expect(written(jq`"\(.a)" + "\`\${"`)).toBe('"\\(.a)" + "`${"');
  });
});
