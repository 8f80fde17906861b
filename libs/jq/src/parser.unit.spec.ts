import { describe, expect, it } from 'vitest';
import { compile } from './expression.js';

function failure(text: string): { readonly message: string; readonly details: unknown } {
  const compiled = compile(text);
  if (compiled.ok) throw new Error(`${text} compiles`);
  return { message: compiled.failure.message, details: compiled.failure.details };
}

function value(text: string, input: null | number | object = null): unknown {
  const compiled = compile(text);
  if (!compiled.ok) throw new Error(compiled.failure.message);
  const outcome = compiled.expression.first(input as never, {});
  return outcome.ok ? outcome.value : outcome.failure.message;
}

describe('syntax failures', () => {
  it('name what was expected, where, and what stands there', () => {
    expect(failure('{a: 1,\n b 2}')).toEqual({
      message: 'Expected "}" at line 2, column 4 of the expression, but found "2".',
      details: { line: 2, column: 4, fragment: '2}' },
    });
  });

  it.each([
    ['(1', 'Expected ")"'],
    ['[1, ', 'Expected an expression'],
    ['"open', 'Expected a closing quote'],
    ['"\\x"', 'Expected an escape'],
    ['"\\u12"', 'Expected four hexadecimal digits'],
    ['if . then 1', 'Expected "end"'],
    ['. as [] | .', 'Expected a variable'],
    ['.a = 1 = 2', 'Expected parentheses'],
    ['1 == 2 == 3', 'Expected parentheses'],
    ['{(1): 2}', 'Expected a text as key'],
    ['{1: 2}', 'Expected a text as key'],
    ['nope', 'Expected a function that is defined'],
    ['length(1)', 'Expected a function that is defined'],
    ['break $out', 'Expected "break" inside its label'],
    ['@nope', 'Expected a format we know'],
    ['import "a" as a; .', 'Expected an expression without modules'],
    ['include "a"; .', 'Expected an expression without modules'],
    ['^', 'Expected an expression'],
  ])('%s: %s', (text, expected) => {
    expect(failure(text).message).toContain(expected);
  });

  it.each(['env', '$ENV', 'input', 'inputs', 'debug', 'debug("x")', 'stderr', 'halt', 'halt_error', 'halt_error(1)', 'input_line_number'])('%s is banned', (text) => {
    expect(failure(text).message).toContain('an expression without');
  });

  it.each([
    ['parentheses', `${'('.repeat(5000)}1${')'.repeat(5000)}`],
    ['operators in a row', `1${'+1'.repeat(20_000)}`],
    ['pipes', `.${'|.'.repeat(20_000)}`],
    ['suffixes', '.a'.repeat(20_000)],
    ['definitions', `${'def f: '.repeat(5000)}1${'; f'.repeat(5000)}`],
    ['negations', `${'-'.repeat(20_000)}1`],
    ['patterns', `. as ${'['.repeat(20_000)}$a`],
    ['texts', `${'"\\('.repeat(5000)}1${')"'.repeat(5000)}`],
    ['a text longer than any expression', ' '.repeat(70_000)],
  ])('too many %s are refused', (_name, text) => {
    expect(failure(text).message).toContain('Expected');
  });
});

describe('precedence', () => {
  it.each([
    ['1 + 2 * 3 - 4 / 2', 5],
    ['[1, 2 | . + 1]', [2, 3]],
    ['1 - 2 - 3', -4],
    ['2 - -1', 3],
    ['false or true and false', false],
    ['1 + 1 == 2 and 2 > 1', true],
    ['null // 1 | . + 1', 2],
    ['null // null // 3', 3],
    ['1 + 2 as $x | -$x', -3],
    ['[1, 2 as $x | 3, $x]', [1, 3, 2]],
    ['1 + try 2 catch 3 + 4', 7],
    ['{a: 1 + 1, b: 2 | . + 1, c: null // 4}', { a: 2, b: 3, c: 4 }],
    ['[.[]?]', []],
    ['{a: {b: [5]}} | .a.b[0], .["a"].b | [.]', [5]],
    ['{if: 1, and: 2, def: 3} | .if + .and + .def', 6],
    ['"a\\("b" + "\\("c")")d"', 'abcd'],
    ['"\\u00e9\\ud83d\\ude00\\n"', 'é😀\n'],
    ['# nothing\n 1 # one', 1],
    ['.e0?, 1 | . // 2', 2],
  ] as const)('%s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });
});
