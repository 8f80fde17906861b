import { describe, expect, it } from 'vitest';
import { read } from './documents.testing.js';
import { readSource, TEXT_BYTES_MAX } from './source.js';

const refusal = (text: string): string => {
  const reading = read(text);
  if (reading.ok) return 'accepted';
  expect(reading.rejections.every(({ code }) => code === 'workflow-syntax')).toBe(true);
  return reading.rejections[0]!.message;
};

const valueOf = (text: string): unknown => {
  const reading = readSource(text);
  return reading.ok ? reading.source.value : reading.faults[0]!.message;
};

describe('readSource', () => {
  it('reads JSON with its escapes and tabs', () => {
    expect(valueOf('{\n\t"a": "\\ud83d\\ude00\\/",\n\t"b": [1, -2.5e3, true, null]\n}')).toEqual({ a: '\u{1F600}/', b: [1, -2500, true, null] });
  });

  it('takes keys as text and words of YAML 1.1 as words', () => {
    expect(valueOf('200: yes\ntrue: on\nat: 2026-01-01')).toEqual({ 200: 'yes', true: 'on', at: '2026-01-01' });
  });

  it('expands an alias to the anchor that was written last before it', () => {
    expect(valueOf('a: &x 1\nb: *x\nc: &x 2\nd: *x')).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  it('finds the place of a value, or of the nearest thing that is written', () => {
    const reading = readSource('a:\n  - b: 1\n    c: 2\n');
    if (!reading.ok) throw new Error('not read');
    const { placeOf } = reading.source;
    expect(placeOf('/a/0/c')).toEqual({ line: 3, column: 5 });
    expect(placeOf('/a/0/missing')).toEqual({ line: 2, column: 5 });
    expect(placeOf('/a/7')).toEqual({ line: 1, column: 1 });
  });
});

describe('hostile text is refused with a sentence', () => {
  it.each([
    ['broken YAML', 'a: [1', 'Expected YAML or JSON but found: '],
    ['two documents', 'a: 1\n---\nb: 2', 'Expected one document but another one begins here (line 2, column 1).'],
    ['a key twice', 'a: 1\nb:\n  a: 1\n  a: 2', 'Expected keys that differ but `a` stands twice in one object (line 4, column 3).'],
    ['a key twice in JSON', '{"a": 1, "a": 2}', 'Expected keys that differ but `a` stands twice in one object (line 1, column 10).'],
    ['NUL', 'a: x\u0000', 'Expected text without control characters but there is U+0000 in line 1.'],
    ['NUL in an escape', '{"a": "x\\u0000"}', 'Expected text without NUL but found the character U+0000 (line 1, column 7).'],
    ['half a character', '{"a": "\\ud83d"}', 'Expected well-formed Unicode but found an unpaired surrogate (line 1, column 7).'],
    ['a prototype', '{"__proto__": {"a": 1}}', 'Expected a key other than `__proto__` (line 1, column 2).'],
    ['a merge key', 'a: &x { b: 1 }\nc:\n  <<: *x', 'Expected plain keys but found the merge key `<<`'],
    ['a tag', 'a: !js x', 'Expected plain YAML but found a tag it cannot have'],
    ['a binary', 'a: !!binary abcd', 'Expected a JSON value but found one that JSON does not have'],
    ['a list as key', '? [a]\n: 1', 'Expected keys to be text but found a key that is a list or an object'],
    ['infinity', 'a: .inf', 'Expected a number that JSON can hold but found .inf'],
    ['digits that would be lost', 'a: 12345678901234567890', 'Expected an integer of at most 9007199254740991 but found 12345678901234567890'],
    ['another YAML', '%YAML 1.1\n---\na: yes', 'Expected YAML 1.2 but its directive says 1.1.'],
    ['an anchor inside itself', 'a: &x [*x]', 'Expected at most 64 levels of nesting but there are more'],
  ])('%s', (_what, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it('nesting deeper than 64 levels, in any style', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(valueOf(nested(64))).toBeInstanceOf(Array);
    for (const text of [nested(65), nested(20_000), '- '.repeat(20_000), '{"a":'.repeat(9_000)]) expect(refusal(text)).toMatch(/^Expected at most 64 levels of nesting but there are more/);
  });

  it('more than a mebibyte', () => {
    expect(refusal(`a: ${'x'.repeat(TEXT_BYTES_MAX)}`)).toBe(`Expected a definition of at most ${TEXT_BYTES_MAX} bytes but it has at least ${TEXT_BYTES_MAX + 3}.`);
    expect(refusal(`a: ${'é'.repeat(TEXT_BYTES_MAX / 2)}`)).toContain(`it has ${TEXT_BYTES_MAX + 3}.`);
  });

  it('aliases that grow without end, by values or by text', () => {
    const laughs = Array.from({ length: 12 }, (_, i) => `b${i}: &a${i} [${Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*a${i - 1}`)).join(',')}]`).join('\n');
    expect(refusal(laughs)).toContain('values, aliases expanded, but there are more');
    expect(refusal(`a: &a "${'x'.repeat(400_000)}"\nb: [*a, *a, *a]`)).toContain('characters of text, aliases expanded, but there are more');
  });

  it('in time that does not grow faster than the text', () => {
    const texts = [Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'), `a: "${'\\q'.repeat(500_000)}"`, `a: "${'x\n'.repeat(500_000)}"`, '}\n'.repeat(500_000), '['.repeat(1_000_000)];
    const before = performance.now();
    for (const text of texts) expect(refusal(text)).toMatch(/^Expected /);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
