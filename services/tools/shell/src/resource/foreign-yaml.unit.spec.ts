import { describe, expect, it } from 'vitest';
import { foreignYaml } from './foreign-yaml.js';

describe('YAML of strangers', () => {
  it('is read as JSON is, the last of two keys counting', () => {
    expect(foreignYaml('{"a": 1}')).toEqual({ a: 1 });
    expect(foreignYaml('a: 1\nb: [x, {c: "[[["}]\na: 2')).toEqual({ a: 2, b: ['x', { c: '[[[' }] });
  });

  it.each([
    ['many keys', Array.from({ length: 40_000 }, (_, at) => `key${at}: v`).join('\n'), undefined],
    ['endless brackets', '['.repeat(1_000_000), /nested deeper than 200/],
    ['aliases of aliases', `a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]`, /alias/],
    ['tokens without end', '- a\n'.repeat(600_000), /more than 1000000 tokens/],
  ])('with %s does not hold up everything else', (_what, text, problem) => {
    const before = performance.now();
    if (problem) expect(() => foreignYaml(text)).toThrow(problem);
    else expect(Object.keys(foreignYaml(text) as object)).toHaveLength(40_000);
    expect(performance.now() - before).toBeLessThan(4_000);
  });
});
