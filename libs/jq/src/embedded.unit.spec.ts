import { describe, expect, it } from 'vitest';
import { embeddedExpression, isRuntimeExpression } from './embedded.js';

describe('embeddedExpression', () => {
  it.each([
    ['${ .a }', '.a'],
    ['${.a}', '.a'],
    ['  ${ {a: {b: 1}} }\n', '{a: {b: 1}}'],
    ['${ "}" + "\\("{" + "\\")")" }', '"}" + "\\("{" + "\\")")"'],
    ['${ .a | { }', '.a | {'],
    ['${}', ''],
  ])('finds the expression in %j', (text, expected) => {
    expect(embeddedExpression(text)).toBe(expected);
  });

  it.each(['.a', '', 'total: ${ .a }', '${ .a } and more', '${ .a } ${ .b }', '${ .a', '$ { .a }', '{ .a }'])('takes %j for a plain text', (text) => {
    expect(embeddedExpression(text)).toBeUndefined();
    expect(isRuntimeExpression(text)).toBe(false);
  });
});
