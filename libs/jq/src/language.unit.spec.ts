import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { compile } from './expression.js';

/** All outputs, or the message of an uncaught error. */
function outputs(text: string, input: Json = null): readonly Json[] | string {
  const compiled = compile(text);
  if (!compiled.ok) throw new Error(compiled.failure.message);
  const outcome = compiled.expression.all(input, {}, { now: 0 });
  return outcome.ok ? outcome.values : outcome.failure.message;
}

type Row = readonly [text: string, input: Json, outputs: readonly Json[]];

function behaves(rows: readonly Row[]): void {
  it.each(rows)('%s on %j gives %j', (text, input, expected) => {
    expect(outputs(text, input)).toEqual(expected);
  });
}

describe('paths', () => {
  behaves([
    ['.a.b', { a: { b: 1 } }, [1]],
    ['.a.b', { a: null }, [null]],
    ['.a?', [1], []],
    ['.["a b"], ."a b"', { 'a b': 1 }, [1, 1]],
    ['.[1:], .[:-1], .[-1], .[9]', [1, 2, 3], [[2, 3], [1, 2], 3, null]],
    ['.[1:3]', '😀é😀x', ['é😀']],
    ['.[0, 1][]', [{ a: 1 }, [2, 3]], [1, 2, 3]],
    ['[..]', [[1]], [[[[1]], [1], 1]]],
    ['path(..)', { a: [1] }, [[], ['a'], ['a', 0]]],
    [
      '[paths(type == "number")]',
      { a: [1, { b: 2 }] },
      [
        [
          ['a', 0],
          ['a', 1, 'b'],
        ],
      ],
    ],
    ['getpath(["a", "b"])', { a: null }, [null]],
    ['pick(.a.b, .c[1])', { a: { b: 1, x: 2 }, c: [3, 4] }, [{ a: { b: 1 }, c: [null, 4] }]],
    ['del(.[0, 2])', [1, 2, 3], [[2]]],
    ['del(.a.b, .c)', { a: { b: 1, d: 2 }, c: 3 }, [{ a: { d: 2 } }]],
    ['to_entries', { a: 1 }, [[{ key: 'a', value: 1 }]]],
  ]);

  it('that were computed cannot be written to', () => {
    expect(outputs('(.a | tostring) = 1', { a: 1 })).toContain('Invalid path expression with result');
  });
});

describe('updates', () => {
  behaves([
    ['.a = 1', null, [{ a: 1 }]],
    ['.a[2].b = 1', null, [{ a: [null, null, { b: 1 }] }]],
    ['.a = (1, 2)', {}, [{ a: 1 }, { a: 2 }]],
    ['.[] |= . + 1', [1, 2], [[2, 3]]],
    ['(.[] | select(. > 1)) |= empty', [1, 5, 3, 0], [[1, 0]]],
    ['.a += 1 | .b -= 1 | .c *= 2 | .d /= 2 | .e %= 2 | .f //= 9', { a: 1, b: 1, c: 1, d: 1, e: 3 }, [{ a: 2, b: 0, c: 2, d: 0.5, e: 1, f: 9 }]],
    ['.[1:3] = ["x"]', [1, 2, 3, 4], [[1, 'x', 4]]],
    ['.. |= (if type == "number" then . + 1 else . end)', [1, [2]], [[2, [3]]]],
    ['(.a, .a.x.y) |= {x: {y: .}}', {}, [{ a: { x: { y: { x: { y: null } } } } }]],
    ['.a |= [., .] | .a[0].z = 1', { a: { b: 1 } }, [{ a: [{ b: 1, z: 1 }, { b: 1 }] }]],
    ['reduce range(3) as $i ([]; .[$i] = $i)', null, [[0, 1, 2]]],
    ['def first_two: .[0, 1]; first_two = 0', [5, 6, 7], [[0, 0, 7]]],
    ['setpath(["a", 0]; 1)', null, [{ a: [1] }]],
    ['delpaths([["a"], ["b", 0]])', { a: 1, b: [1, 2] }, [{ b: [2] }]],
    ['if .a then .b else .c end |= 5', { a: true, b: 1 }, [{ a: true, b: 5 }]],
    ['(.a // .b) = 5', { b: 1 }, [{ b: 5 }]],
    ['first(.[] | select(. > 1)) = 0', [1, 2, 3], [[1, 0, 3]]],
    ['limit(2; .[]) = 0', [1, 2, 3], [[0, 0, 3]]],
  ]);
});

describe('operators', () => {
  behaves([
    ['[(1, 2) + (10, 20)]', null, [[11, 12, 21, 22]]],
    [
      '{a: (1, 2), b: (3, 4)} | [.a, .b]',
      null,
      [
        [1, 3],
        [1, 4],
        [2, 3],
        [2, 4],
      ],
    ],
    ['"a" * 3, "a" * 0, ("a" * -1), "x,y" / ","', null, ['aaa', '', null, ['x', 'y']]],
    ['{a: {b: 1}} * {a: {c: 2}}', null, [{ a: { b: 1, c: 2 } }]],
    ['[1, 2, 1] - [1]', null, [[2]]],
    ['5 % -3, -5 % 3, 5.9 % 3', null, [2, -2, 2]],
    ['[1 / 0]?, 1', null, [1]],
    ['null < false, false < true, true < 0, 0 < "", "" < [], [] < {}', null, [true, true, true, true, true, true]],
    ['"\\ud83d\\ude00" > "\\uffff"', null, [true]],
    ['[{}, {a: 1}, {b: 0}, {a: 0, b: 0}] | sort', null, [[{}, { a: 1 }, { a: 0, b: 0 }, { b: 0 }]]],
    ['(true, false) or false', null, [true, false]],
    ['false and error, true or error', null, [false, true]],
    ['(false, null, 1) // 2, (empty // 3), (error // 4)', null, [1, 3, 4]],
    ['[false, 1] | map(. // 5)', null, [[5, 1]]],
    ['nan == nan, nan < nan, ([nan, 1] | sort | .[1])', null, [false, true, 1]],
  ]);
});

describe('control', () => {
  behaves([
    ['if . == 1 then "a" elif . == 2 then "b" else "c" end', 2, ['b']],
    ['if (true, false) then 1 end', 7, [1, 7]],
    ['try error("x") catch .', null, ['x']],
    ['try error({a: 1}) catch .a', null, [1]],
    ['[.[] | try (if . > 1 then error else . end) catch "big"]', [1, 2], [[1, 'big']]],
    ['try ((1, error("own")) | .) catch .', null, [1, 'own']],
    [
      'reduce .[] as [$k, $v] ({}; .[$k] = $v)',
      [
        ['a', 1],
        ['b', 2],
      ],
      [{ a: 1, b: 2 }],
    ],
    [
      '[foreach .[] as $x (0; . + $x; [$x, .])]',
      [1, 2],
      [
        [
          [1, 1],
          [2, 3],
        ],
      ],
    ],
    ['[label $out | .[] | if . == 3 then break $out else . end]', [1, 2, 3, 4], [[1, 2]]],
    ['. as {a: $x, b: [$y]} | [$x, $y]', { a: 1, b: [2] }, [[1, 2]]],
    ['.[] as [$a] ?// $a | [$a]', [[1], 2], [[1], [2]]],
    ['. as {$a, $b: [$c]} | [$a, $b, $c]', { a: 1, b: [2] }, [[1, [2], 2]]],
    [
      'def f(g; $n): [g, $n]; f(.[]; 1, 2)',
      [3, 4],
      [
        [3, 4, 1],
        [3, 4, 2],
      ],
    ],
    ['def fac: if . < 2 then 1 else . * (. - 1 | fac) end; fac', 10, [3628800]],
    ['def f: def g: . + 1; g | g; f', 1, [3]],
    ['1 as $x | def f: $x; 2 as $x | f', null, [1]],
    ['[limit(3; repeat(1))], [limit(0; error)], first(1, error)', null, [[1, 1, 1], [], 1]],
    ['[skip(1; 1, 2, 3)], nth(1; 1, 2, 3), last(1, 2), isempty(empty)', null, [[2, 3], 2, 2, true]],
    [
      '[range(3)], [range(1; 3)], [range(0; 10; 4)], [range(0; -2; -1)]',
      null,
      [
        [0, 1, 2],
        [1, 2],
        [0, 4, 8],
        [0, -1],
      ],
    ],
    ['[while(. < 4; . + 1)], until(. > 4; . * 2), [recurse(if . < 3 then . + 1 else empty end)]', 1, [[1, 2, 3], 8, [1, 2, 3]]],
    ['any, all, any(. > 1), all(. > 0)', [1, 2], [true, true, true, true]],
    ['walk(if type == "number" then . + 1 else . end)', { a: [1, { b: 2 }] }, [{ a: [2, { b: 3 }] }]],
    ['[.[] as $x | .[] as $y | $x * $y]', [1, 2], [[1, 2, 2, 4]]],
    ['def twice(g): g | g; [twice(. as $x | (1, 2) | . + $x)]', 10, [[12, 13, 13, 14]]],
    ['$__loc__', null, [{ file: '<top-level>', line: 1 }]],
  ]);

  it('never lets a try catch errors of what follows it', () => {
    expect(outputs('try (try . catch "inner") catch "outer" | error("later")', 1)).toContain('later');
  });
});

describe('builtins', () => {
  behaves([
    ['length, (.[] | length)', [null, 'é😀', { a: 1 }, -5], [4, 0, 2, 1, 5]],
    ['keys, has("a"), (to_entries | from_entries), with_entries(.value += 1), map_values(. + 1)', { b: 1, a: 2 }, [['a', 'b'], true, { b: 1, a: 2 }, { b: 2, a: 3 }, { b: 2, a: 3 }]],
    ['sort_by(.a), group_by(.a), unique_by(.a), min_by(.a), max_by(.a)', [{ a: 2 }, { a: 1 }], [[{ a: 1 }, { a: 2 }], [[{ a: 1 }], [{ a: 2 }]], [{ a: 1 }, { a: 2 }], { a: 1 }, { a: 2 }]],
    ['add, min, max, unique, reverse, flatten', [3, 1, 3], [7, 1, 3, [1, 3], [3, 1, 3], [3, 1, 3]]],
    [
      'flatten, flatten(1), transpose',
      [[1, [2]], [3]],
      [
        [1, 2, 3],
        [1, [2], 3],
        [
          [1, 3],
          [[2], null],
        ],
      ],
    ],
    ['contains("bar"), inside("a foobar"), index("o"), indices("o"), startswith("foo"), endswith("x")', 'foobar', [true, true, 1, [1, 2], true, false]],
    ['contains({a: [1]}), contains({a: ["x"]})', { a: [1, 2] }, [true, false]],
    ['split(", "), ascii_upcase, ltrimstr("a"), rtrimstr("c"), explode, (explode | implode)', 'a, c', [['a', 'c'], 'A, C', ', c', 'a, ', [97, 44, 32, 99], 'a, c']],
    ['join("-")', ['a', 1, null, true], ['a-1--true']],
    ['trim, ltrim, rtrim', ' a ', ['a', 'a ', ' a']],
    ['tostring, tojson, type, (tojson | fromjson)', { a: [1.5, null] }, ['{"a":[1.5,null]}', '{"a":[1.5,null]}', 'object', { a: [1.5, null] }]],
    ['map(tonumber? // "no")', ['1', '1.5e1', 'x', 2], [[1, 15, 'no', 2]]],
    ['map(tojson)', [1e17, 1e-5, 100000, 0.1, 123456789012345680000, -0.5], [['1e+17', '1e-05', '100000', '0.1', '123456789012345680000', '-0.5']]],
    ['floor, ceil, round, fabs, (. * -2 | sqrt)', -2.5, [-3, -2, -3, 2.5, Math.sqrt(5)]],
    ['pow(2; 10), log2, exp10', 4, [1024, 2, 10000]],
    ['in({"a": 1}), inside(["a", "b"] | add)', 'a', [true, true]],
    ['[.[] | scalars], [.[] | iterables], [.[] | strings]', [1, 'a', [], {}], [[1, 'a'], [[], {}], ['a']]],
    ['todate, (todate | fromdate), gmtime', 1425599621, ['2015-03-05T23:53:41Z', 1425599621, [2015, 2, 5, 23, 53, 41, 4, 63]]],
    ['strptime("%d %b %Y %H:%M") | mktime', '29 Feb 2020 10:20', [1582971600]],
    ['[tostream], fromstream(tostream)', { a: [1] }, [[[['a', 0], 1], [['a', 0]], [['a']]], { a: [1] }]],
    [
      '[combinations]',
      [[1, 2], [3]],
      [
        [
          [1, 3],
          [2, 3],
        ],
      ],
    ],
    ['bsearch(2), bsearch(4)', [1, 2, 3], [1, -4]],
    ['INDEX(.id) | keys', [{ id: 1 }, { id: 'b' }], [['1', 'b']]],
    ['IN(1, 2), any(. == 1; .)', 1, [true, true]],
  ]);
});

describe('formats', () => {
  behaves([
    [
      '@json, @text, @html, @uri, @sh, @base64, (@base64 | @base64d)',
      `<a> & 'b'`,
      [`"<a> & 'b'"`, `<a> & 'b'`, '&lt;a&gt; &amp; &apos;b&apos;', '%3Ca%3E%20%26%20%27b%27', `'<a> & '\\''b'\\'''`, 'PGE+ICYgJ2In', `<a> & 'b'`],
    ],
    ['@csv, @tsv', [1, 'a"b\t', null, true], ['1,"a""b\t",,true', '1\ta"b\\t\t\ttrue']],
    ['@base32, (@base32 | @base32d)', 'é', ['YOUQ====', 'é']],
    ['@uri "q=\\(.)&x", @json "v: \\([.])"', 'a b', ['q=a%20b&x', 'v: ["a b"]']],
    ['try (. | @base64d) catch .', 'Not base64', ['string ("Not base64") is not valid base64 data']],
  ]);
});

describe('keys that name members of prototypes', () => {
  it('are ordinary keys', () => {
    const input = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}') as Json;
    const result = outputs('.__proto__.more = 1 | .constructor, .__proto__, .toString, has("valueOf"), (keys | length)', input);
    expect(JSON.stringify(result)).toBe('[2,{"polluted":1,"more":1},null,false,2]');
  });

  it('are written as own fields and never reach a prototype', () => {
    outputs('setpath(["__proto__", "polluted"]; 1), ({} | .constructor.prototype.polluted = 1), {("__proto__"): {polluted: 1}}, ({"__proto__": {polluted: 1}} * {a: 1})');
    outputs('[{key: "__proto__", value: {polluted: 1}}] | from_entries');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(JSON.stringify(outputs('{"__proto__": 1} + {a: 2}'))).toBe('[{"__proto__":1,"a":2}]');
  });
});
