import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { compile } from './expression.js';

/** Far above what the budget is worth. Counted in the thread's own time: other work shares the machine while specs run. */
const SLOW_MS = 400;

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const rows: Json = { a: Array.from({ length: 2_000 }, (_, id) => ({ id, name: `n${id}`, tags: ['x', 'y'] })) };

/** Programs that want more than they may have. */
const GREEDY: readonly (readonly [text: string, input?: Json])[] = [
  ['def f: f; f'],
  ['def f: ., f; f'],
  ['def f: f, f; f'],
  ['def f: [f]; f'],
  ['def f(g): f(g | g); f(.)'],
  ['def f: try error("x") catch f; f'],
  ['def f: (try f catch .); f'],
  ['def f: label $x | (1, 2) | . as [$a] ?// $a | f; f'],
  ['def f($n): if $n == 0 then 0 else 1 + f($n - 1) end; f(100000)'],
  ['def ack($m; $n): if $m == 0 then $n + 1 elif $n == 0 then ack($m - 1; 1) else ack($m - 1; ack($m; $n - 1)) end; ack(3; 9)'],
  ['def fib: if . < 2 then . else (. - 1 | fib) + (. - 2 | fib) end; fib', 40],
  ['repeat(1)'],
  ['last(repeat(1))'],
  ['[limit(1e9; repeat(1))]'],
  ['try repeat(error("x")) catch repeat(.)'],
  ['[.[] | repeat(try error catch empty)]', [1]],
  ['label $x | repeat(1) | if . == 2 then break $x else empty end'],
  ['[range(1e12)]'],
  ['last(range(1e12))'],
  ['range(0; 1; 0)'],
  ['first(range(1e12) | select(. < 0))'],
  ['any(range(1e12); . < 0)'],
  ['reduce range(1e12) as $i (0; . + 1)'],
  ['[foreach range(1e12) as $i (0; . + 1)]'],
  ['[recurse(. + 1)]', 1],
  ['last(recurse(. + 1, . + 2))', 1],
  ['until(false; .)'],
  ['[while(true; .)]'],
  ['"x" * 1e9'],
  ['"x" * 1000000 | . + . | . + . | . + . | . + . | . + .'],
  ['reduce range(100) as $i ("ab"; . + .)'],
  ['reduce range(100) as $i ([1]; . + .)'],
  ['reduce range(60) as $i (1; [., .])'],
  ['reduce range(60) as $i (1; [., .]) | tojson'],
  ['reduce range(60) as $i (1; [., .]) | flatten'],
  ['reduce range(60) as $i (1; [., .]) | [..]'],
  ['(reduce range(40) as $i (1; [., .])) as $a | (reduce range(40) as $i (1; [., .])) as $b | $a == $b'],
  ['error(reduce range(60) as $i (1; [., .]))'],
  [`1${' | [., .]'.repeat(60)}`],
  [`${'(1, 2) as $a | '.repeat(30)}$a`],
  [`[(1, 2)${' + (1, 2)'.repeat(40)}]`],
  [`"${'\\(1, 2)'.repeat(40)}"`],
  [`{a: (1, 2)${Array.from({ length: 30 }, (_, i) => `, c${i}: (1, 2)`).join('')}}`],
  ['reduce range(100000) as $i (1; [.])'],
  ['reduce range(5000) as $i (1; [.]) | tojson'],
  ['"[" * 1000000 | fromjson'],
  ['.[500000000] = 1'],
  ['[range(90000)] | map(tostring) | join("x" * 1000)'],
  ['[range(20000)] | combinations(3)'],
  ['[range(50000)] | sort_by(-.)'],
  ['reduce range(1e6) as $i ({}; .["k\\($i)"] = $i)'],
  ['reduce range(1e6) as $i ([]; . + [$i])'],
  ['reduce range(1e6) as $i (.; .a[0].id = $i)', rows],
  ['[range(1000)] as $a | $a | map($a | map($a | length))'],
  ['("a" * 1000000) as $t | $t | indices("b" + "a" * 500000)'],
  ['("a" * 1000000) as $t | last(range(1e9) | ($t | contains("b")))'],
  ['("a" * 1000000) as $t | last(range(1e9) | ($t | length))'],
  ['("a" * 100000) as $t | ("a" * 100000) as $u | last(range(1e9) | ($t == $u))'],
  ['"\\u0000" * 1000000 | @json | @json | @json | @json'],
  [`"'" * 1000000 | @sh | @sh | @sh`],
  ['getpath([range(1e5) | "a"])'],
  ['. as $r | [.a[] | $r] | tojson', rows],
  ['[range(40000) | []] as $x | last(range(1e9) | ($x | transpose))'],
  ['[range(40000)] as $x | last(range(1e9) | try ($x | -.) catch .)'],
  ['. as $x | last(range(1e9) | try ($x | -.) catch .)', Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]))],
  ['[range(40000)] as $x | last(range(1e9) | ($x | try mktime catch .))'],
  ['[range(40000)] as $x | last(range(1e9) | ($x - []))'],
  ['[range(40000)] as $x | last(range(1e9) | ($x | .[1:]))'],
  ['("aA" * 200000) as $t | last(range(1e9) | ($t | ascii_upcase))'],
  ['("<" * 200000) as $t | last(range(1e9) | ($t | @html))'],
  ['("é" * 200000) as $t | last(range(1e9) | ($t | @uri))'],
  ['("1" * 900) as $t | last(range(1e9) | ($t | tonumber))'],
  ['("a" * 31 + "b") as $n | ("a" * 300000) as $t | last(range(1e9) | ($t | contains($n)))'],
  ['("a" * 60000) as $t | last(range(1e9) | ($t | test("(a+)+$")))'],
  ['("a" * 60000 + "b") | test("(a|a)*(a|a)*(a|a)*(a|a)*c")'],
  ['("a" * 30000) | test("(a?){60}a{60}b")'],
  ['("b" * 30000) | [match(".*c|b"; "g")]'],
  ['("b" * 30000) | gsub("(?=.*c)"; "x")'],
  ['("b" * 30000) | gsub("(?<=c.*)b"; "x")'],
  ['("a" * 100000) | [match("(((a)))"; "g")]'],
  ['[range(1e9) | "x" | test("y\\(.)")]'],
  ['("é" * 60000) as $t | last(range(1e9) | ($t | test("[\\\\p{L}]+1")))'],
  ['("a" * 60000) as $t | last(range(1e9) | ($t | [splits("b")]))'],
  [`${Array.from({ length: 150 }, (_, i) => `1 as $v${i} | `).join('')}last(range(1e9) | [${'$v0, '.repeat(2000)}$v0])`],
];

describe('a greedy expression', () => {
  it.each(GREEDY.map(([text, input = null]) => ({ text, input })))('$text ends by its budget', ({ text, input }) => {
    const compiled = compile(text);
    if (!compiled.ok) throw new Error(compiled.failure.message);
    const start = threadMs();
    const outcome = compiled.expression.all(input, {});
    expect(threadMs() - start).toBeLessThan(SLOW_MS);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'expression-budget' } });
  });
});

/** Texts that are costly to compile, each about as long as a text may be. */
const VERBOSE: readonly (readonly [name: string, text: string])[] = [
  ['a list', `[${'1, '.repeat(21_000)}1]`],
  ['alternatives', `. as ${Array.from({ length: 31 }, (_, i) => `[${Array.from({ length: 4 }, (__, j) => `$a${i}_${j}`).join(', ')}]`).join(' ?// ')} | .`],
  ['references through many bindings', `${Array.from({ length: 300 }, (_, i) => `1 as $v${i} | `).join('')}[${'$v0, '.repeat(11_000)}1]`],
  ['recursive definitions inside each other', `${Array.from({ length: 90 }, (_, i) => `def f${i}: f${i}, (`).join('')}1${Array.from({ length: 90 }, (_, i) => `); f${89 - i}`).join('')}`],
  ['definitions in a row', `${Array.from({ length: 390 }, (_, i) => `def f${i}: .[] | ${i === 0 ? '1' : `f${i - 1}`} | map(walk(.)); `).join('')}f389`],
  ['a long comment', `# ${'\\\\'.repeat(16_000)}`],
];

describe('a verbose text', () => {
  it.each(VERBOSE)('of %s is compiled or refused soon', (_name, text) => {
    const start = threadMs();
    compile(text);
    expect(threadMs() - start).toBeLessThan(SLOW_MS);
  });

  it.each([
    ['alternatives', `. as ${'[$a] ?// '.repeat(5_000)}$b | .`],
    ['names', `. as [${'$a, '.repeat(15_000)}$a] | .`],
    ['parameters', `def f(${'a; '.repeat(15_000)}a): 1; .`],
  ])('with thousands of %s is refused', (_name, text) => {
    expect(compile(text)).toMatchObject({ ok: false, failure: { code: 'expression-syntax' } });
  });
});

describe('recursion', () => {
  it('of a hundred levels is within the budget', () => {
    const compiled = compile('def f($n): if $n == 0 then 0 else 1 + f($n - 1) end; f(100)');
    expect(compiled.ok && compiled.expression.first(null, {})).toEqual({ ok: true, value: 100 });
  });

  it('ends by the depth budget before it reaches the end of the stack', () => {
    const compiled = compile('def f: (1, 2) as $x | try ([.[]?] | {a: (1, $x)} | f) catch 1; f');
    expect(compiled.ok && compiled.expression.all(null, {})).toMatchObject({ ok: false, failure: { details: { part: 'depth' } } });
  });
});
