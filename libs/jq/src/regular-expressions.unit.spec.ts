import type { Json } from '@weft/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './expression.js';

function all(text: string, input: Json = null): readonly Json[] {
  const compiled = compile(text);
  if (!compiled.ok) throw new Error(compiled.failure.message);
  const outcome = compiled.expression.all(input, {});
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.values;
}

describe('match', () => {
  it('gives offset, length, text and groups in code points', () => {
    expect(all('match("(?<letter>[a-z])(\\\\d)?")', '😀é-b2')).toEqual([
      {
        offset: 3,
        length: 2,
        string: 'b2',
        captures: [
          { offset: 3, length: 1, string: 'b', name: 'letter' },
          { offset: 4, length: 1, string: '2', name: null },
        ],
      },
    ]);
  });

  it('gives a group that took no part as null at -1', () => {
    expect(all('match("a(b)?").captures', 'ac')).toEqual([[{ offset: -1, length: 0, string: null, name: null }]]);
  });

  it('prefers what is written first, and lazily the shortest', () => {
    expect(all('[match("a|ab", "a.*?c", "a.*c").string]', 'abcc')).toEqual([['a', 'abc', 'abcc']]);
  });

  it('goes on behind an empty match', () => {
    expect(all('[match("x*"; "g").offset]', 'axb')).toEqual([[0, 1, 2, 3]]);
  });

  it.each([
    ['g finds all', '[match("a"; "g").offset]', 'aba', [0, 2]],
    ['i does not see case', '[match("STRASSE|Σ"; "gi").string]', 'strasse σ ς', ['strasse', 'σ', 'ς']],
    ['x leaves out white space and comments', '[match("a b # c\\n c"; "x").string]', 'abc', ['abc']],
    ['n leaves out empty matches', '[match("x*"; "gn").string]', 'axb', ['x']],
    ['l takes the longest', '[match("a|ab"; "l").string]', 'ab', ['ab']],
    ['p lets the dot match a line break', '[match("a.b"; "p").string]', 'a\nb', ['a\nb']],
    ['s leaves line breaks to themselves', '[match("a.b"; "s").string]', 'a\nb', []],
  ])('%s', (_name, text, input, expected) => {
    expect(all(text, input)).toEqual([expected]);
  });
});

describe('the syntax', () => {
  it.each([
    ['^ and $ mean the text, before a last line break too', '^b|a$', 'a\n', ['a']],
    ['(?m) makes them mean lines', '(?m)^b$', 'a\nb\nc', ['b']],
    ['(?i:...) holds inside alone', 'a(?i:b)c', 'aBc aBC', ['aBc']],
    ['(?i) holds until its group ends', '(?:(?i)a)a', 'Aa AA', ['Aa']],
    ['\\b and \\B see words of any script', '\\bé\\B.', 'aé éb', ['éb']],
    ['lookahead', 'a(?=b)|c(?!d)', 'abacdc', ['a', 'c']],
    ['lookbehind of any length', '(?<=x.*)b|(?<!a)c', 'b xab ac c', ['b', 'c']],
    ['bracketed sets, ranges and classes', '[^\\s[:upper:]b-d]+', 'Ab ef-d', ['ef-']],
    ['a hyphen or bracket that stands for itself', '[]a\\-]+', 'b]-a', [']-a']],
    ['properties', '\\p{Lu}\\P{L}\\p{^L}\\p{Greek}', 'A1-β', ['A1-β']],
    ['code points by number', '\\x41\\x{1F600}\\u00e9\\051', 'A😀é)', ['A😀é)']],
    ['quoted text', '\\Qa.b\\E.', 'axb a.bc', ['a.bc']],
    ['a brace that repeats nothing', 'a{,2}b{', 'a{,2}b{', ['a{,2}b{']],
    ['bounded repetition', '^a{2,3}?a', 'aaaa', ['aaa']],
    ['nested repetition that may be empty', '(a*)*b', 'aab', ['aab']],
  ])('%s', (_name, pattern, input, expected) => {
    expect(all(`[match(${JSON.stringify(pattern)}; "g").string]`, input)).toEqual([expected]);
  });

  it.each([
    ['(a)\\1', 'not linear in time'],
    ['(?>a)', 'atomic groups are not supported'],
    ['a*+', 'possessive repetition is not supported'],
    ['(', 'unmatched parenthesis'],
    [')', 'unmatched close parenthesis'],
    ['[a', 'premature end of char-class'],
    ['[b-a]', 'empty range'],
    ['*', 'target of repeat operator'],
    ['a{2,1}', 'upper is smaller'],
    ['a{1001}', 'at most 1000'],
    ['(a{100}){100}', 'too big'],
    ['\\p{Nope}', 'invalid character property'],
    ['\\', 'end pattern at escape'],
    ['('.repeat(200), 'too deep'],
  ])('%s is an error of the expression that says why', (pattern, message) => {
    expect(all(`try test(${JSON.stringify(pattern)}) catch .`, 'a')).toEqual([expect.stringContaining(message)]);
  });

  it('refuses flags that it does not know', () => {
    expect(all('try test("a"; "q") catch .', 'a')).toEqual(['q is not a valid modifier string']);
  });

  it('matches as the platform does wherever both are defined, by property', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab)', '(?=a)', '(?!b)', '\\b', 'c');
    const piece = fc.tuple(atom, fc.constantFrom('', '', '?', '*', '+', '??', '*?', '{1,2}')).map(([one, times]) => (/^\(\?[=!]|^\\b/.test(one) ? one : one + times));
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.stringMatching(/^[abc ]{0,8}$/), (pieces, text) => {
        const pattern = pieces.join('');
        const expected = [...text.matchAll(new RegExp(pattern, 'gs'))].map((match) => match[0]);
        expect(all(`[match(${JSON.stringify(pattern)}; "gp").string]`, text)).toEqual([expected]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what rests on match', () => {
  it.each([
    ['test', 'test("B"; "i"), test(["b"]), test("c")', 'ab', [true, true, false]],
    ['capture', 'capture("(?<year>\\\\d+)-(?<month>\\\\d+)(?<day>-\\\\d+)?")', '2026-11', [{ year: '2026', month: '11', day: null }]],
    [
      'scan',
      '[scan("a.")], [scan("(a)(.)")], [scan("A"; "i")]',
      'abac',
      [
        ['ab', 'ac'],
        [
          ['a', 'b'],
          ['a', 'c'],
        ],
        ['a', 'a'],
      ],
    ],
    ['split', 'split(", *"; null)', 'a, b,c', [['a', 'b', 'c']]],
    ['splits', '[splits("b+")]', 'abbc', [['a', 'c']]],
    ['sub', 'sub("(?<x>.)"; "<\\(.x)>")', 'ab', ['<a>b']],
    ['sub with several outputs', 'sub("a"; "b", "c")', 'aa', ['ba', 'ca']],
    ['gsub', 'gsub("(?<x>[aeiou])"; "\\(.x | ascii_upcase)")', 'banana', ['bAnAnA']],
    ['gsub with several outputs', 'gsub("a"; "b", "c")', 'aa', ['bb', 'cc']],
    ['gsub of nothing', 'gsub(""; "-")', 'ab', ['-a-b-']],
    ['gsub with an anchor', 'gsub("^"; ">")', 'ab', ['>ab']],
    ['gsub without a match', 'gsub("x"; "y")', 'ab', ['ab']],
    ['ascii letters alone', '[match("[a-z]+"; "g").string] | join("")', 'a1b2', ['ab']],
  ])('%s', (_name, text, input, expected) => {
    expect(all(text, input)).toEqual(expected);
  });

  it('rearranges a long text within the default budget', () => {
    expect(all('gsub(" "; "_") | length', 'word '.repeat(2_000))).toEqual([10_000]);
  });
});
