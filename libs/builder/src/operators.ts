// Operators and functions of jq over typed expressions. Each operand may be a plain value, which becomes a literal.
import { Binding, expression, isExpression, JQ, rendered, type Expression, type Place } from './expression.js';
import { handle, termOf, variable, type Ref } from './handles.js';
import type { Evaluated, Value } from './value.js';

/** A T, or an expression that gives one. */
export type Operand<T> = T | Expression<T>;

/** A value inside an expression: its literal, with the expressions in it. */
export function operand(value: unknown, place: Place, least: Binding): string {
  if (isExpression(value)) return rendered(value, place, least);
  if (Array.isArray(value)) return `[${value.map((item) => operand(item, place, Binding.alternative)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${fields.map(([key, item]) => `${JSON.stringify(key)}: ${operand(item, place, Binding.term)}`).join(', ')}}`;
  }
  const literal = JSON.stringify(value ?? null);
  return typeof value === 'number' && literal.startsWith('-') && least > Binding.sum ? `(${literal})` : literal;
}

const infix = <T>(operator: string, binding: Binding, left: unknown, right: unknown): Expression<T> =>
  // Every operator but `//` is written left to right, so only its right side has to bind more tightly.
  expression((place) => ({ text: `${operand(left, place, leftOf(binding))} ${operator} ${operand(right, place, binding + 1)}`, binding }));

// Comparisons do not chain, and `//` is grouped from the right.
const leftOf = (binding: Binding): Binding => (binding === Binding.comparison || binding === Binding.alternative ? binding + 1 : binding);

const called = <T>(name: string, ...args: readonly unknown[]): Expression<T> =>
  expression((place) => ({ text: args.length === 0 ? name : `${name}(${args.map((arg) => operand(arg, place, Binding.pipe)).join('; ')})`, binding: Binding.term }));

/** `a | f`: f sees a as `.`, so its own arguments are bound outside of it. */
function piped<T>(of: unknown, name: string, ...args: readonly unknown[]): Expression<T> {
  return expression((place) => {
    const text = args.map((arg) => operand(arg, place, Binding.pipe));
    const from = operand(of, place, Binding.comma);
    if (args.every((arg) => !isExpression(arg))) return { text: `${from} | ${called(name, ...args)[JQ](place).text}`, binding: Binding.pipe };
    const names = text.map((_, i) => `$${name}_${i}`);
    return { text: `${text.map((one, i) => `(${one}) as ${names[i]} | `).join('')}${from} | ${name}(${names.join('; ')})`, binding: Binding.pipe };
  });
}

export const eq = (a: Operand<unknown>, b: Operand<unknown>): Expression<boolean> => infix('==', Binding.comparison, a, b);
export const ne = (a: Operand<unknown>, b: Operand<unknown>): Expression<boolean> => infix('!=', Binding.comparison, a, b);
export const lt = <T extends string | number>(a: Operand<T>, b: Operand<T>): Expression<boolean> => infix('<', Binding.comparison, a, b);
export const le = <T extends string | number>(a: Operand<T>, b: Operand<T>): Expression<boolean> => infix('<=', Binding.comparison, a, b);
export const gt = <T extends string | number>(a: Operand<T>, b: Operand<T>): Expression<boolean> => infix('>', Binding.comparison, a, b);
export const ge = <T extends string | number>(a: Operand<T>, b: Operand<T>): Expression<boolean> => infix('>=', Binding.comparison, a, b);

export const and = (first: Operand<boolean>, ...others: readonly Operand<boolean>[]): Expression<boolean> => joined('and', Binding.and, first, others);
export const or = (first: Operand<boolean>, ...others: readonly Operand<boolean>[]): Expression<boolean> => joined('or', Binding.or, first, others);
export const not = (value: Operand<boolean>): Expression<boolean> => piped(value, 'not');

const joined = (operator: string, binding: Binding, first: unknown, others: readonly unknown[]): Expression<boolean> =>
  others.reduce<Expression<boolean>>((left, right) => infix(operator, binding, left, right), isExpression(first) ? (first as Expression<boolean>) : literal(first as boolean));

/** Adds numbers, concatenates texts and lists, merges objects (the right one wins). */
export function add(a: Operand<number>, b: Operand<number>): Expression<number>;
export function add(a: Operand<string>, b: Operand<string>): Expression<string>;
export function add<T>(a: Operand<readonly T[]>, b: Operand<readonly T[]>): Expression<T[]>;
export function add<A extends Value, B extends Value>(a: A, b: B): Expression<Evaluated<A> & Evaluated<B>>;
export function add(a: unknown, b: unknown): Expression {
  return infix('+', Binding.sum, a, b);
}
export const sub = (a: Operand<number>, b: Operand<number>): Expression<number> => infix('-', Binding.sum, a, b);
export const mul = (a: Operand<number>, b: Operand<number>): Expression<number> => infix('*', Binding.product, a, b);
export const div = (a: Operand<number>, b: Operand<number>): Expression<number> => infix('/', Binding.product, a, b);
export const mod = (a: Operand<number>, b: Operand<number>): Expression<number> => infix('%', Binding.product, a, b);

/** The value, or what stands for it when it is null, false or missing. */
export const orElse = <T, U>(value: Operand<T>, otherwise: Operand<U>): Expression<NonNullable<T> | U> => infix('//', Binding.alternative, value, otherwise);

/** A plain value as an expression. */
export const literal = <V extends Value>(value: V): Expression<Evaluated<V>> => expression((place) => ({ text: operand(value, place, Binding.pipe), binding: Binding.product }));

/** `then` when the condition is neither false nor null, `otherwise` when it is. */
export const iff = <A extends Value, B extends Value>(condition: Operand<boolean>, then: A, otherwise: B): Expression<Evaluated<A> | Evaluated<B>> =>
  expression((place) => ({
    text: `if ${operand(condition, place, Binding.pipe)} then ${operand(then, place, Binding.pipe)} else ${operand(otherwise, place, Binding.pipe)} end`,
    binding: Binding.term,
  }));

export const length = (of: Operand<string | readonly unknown[] | object | null>): Expression<number> => piped(of, 'length');
export const keys = (of: Operand<object>): Expression<string[]> => piped(of, 'keys');
export const has = (of: Operand<object>, key: Operand<string | number>): Expression<boolean> => piped(of, 'has', key);
export const contains = (of: Operand<unknown>, part: Operand<unknown>): Expression<boolean> => piped(of, 'contains', part);
export const startsWith = (text: Operand<string>, start: Operand<string>): Expression<boolean> => piped(text, 'startswith', start);
export const endsWith = (text: Operand<string>, end: Operand<string>): Expression<boolean> => piped(text, 'endswith', end);
export const matches = (text: Operand<string>, pattern: Operand<string>): Expression<boolean> => piped(text, 'test', pattern);
export const join = (texts: Operand<readonly unknown[]>, separator: Operand<string>): Expression<string> => piped(texts, 'join', separator);
export const asText = (value: Operand<unknown>): Expression<string> => piped(value, 'tostring');
export const asNumber = (value: Operand<unknown>): Expression<number> => piped(value, 'tonumber');

/** The item at an index from 0; negative ones count from the end. */
export const at = <T>(list: Expression<readonly T[]>, index: Operand<number>): Ref<T> => handle((place) => termOf(list, place, `[${operand(index, place, Binding.pipe)}]`));
export const first = <T>(list: Expression<readonly T[]>): Ref<T> => at(list, 0);
export const last = <T>(list: Expression<readonly T[]>): Ref<T> => at(list, -1);

// A name of its own for each level of nesting; `.` stays what it was, so that `input` means the same inside.
let depth = 0;

function overItems<T, R>(list: Expression<readonly T[]>, body: (item: Ref<T>) => unknown, form: (item: string, body: string) => string): Expression<R> {
  return expression((place) => {
    const name = `each${depth === 0 ? '' : depth}`;
    depth++;
    try {
      const text = operand(body(variable<T>(name)), place, Binding.alternative);
      return { text: `[${termOf(list, place, '[]').text} as $${name} | ${form(`$${name}`, text)}]`, binding: Binding.term };
    } finally {
      depth--;
    }
  });
}

/** A list with each item replaced. */
export const mapItems = <T, V extends Value>(list: Expression<readonly T[]>, body: (item: Ref<T>) => V): Expression<Evaluated<V>[]> => overItems(list, body, (_, text) => text);

/** The items for which the condition holds. */
export const filterItems = <T>(list: Expression<readonly T[]>, condition: (item: Ref<T>) => Operand<boolean>): Expression<T[]> =>
  overItems(list, condition, (item, text) => `select(${text}) | ${item}`);
