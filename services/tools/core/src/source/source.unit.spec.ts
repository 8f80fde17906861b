import { describe, expect, it } from 'vitest';
import { offeredProblem, shadowedNames, type OfferedTool } from './offered-tool.js';
import { termsOf } from './tool-rule.js';
import { announcedWaitMs } from './unrest.js';
import { invisibleIn, visibleJson, visibleText } from './visible-text.js';

const offered = (name: string, more: Partial<OfferedTool> = {}): OfferedTool => ({ name, description: '', input: { type: 'object' }, ...more });

describe('invisible characters', () => {
  it.each([
    ['zero width space', '\u200b'],
    ['zero width joiner', '\u200d'],
    ['byte order mark', '\ufeff'],
    ['right-to-left override', '\u202e'],
    ['isolate', '\u2066'],
    ['word joiner', '\u2060'],
    ['soft hyphen', '\u00ad'],
    ['tag letter', '\u{e0041}'],
    ['variation selector', '\ufe0f'],
    ['supplementary variation selector', '\u{e0100}'],
    ['Hangul filler', '\u3164'],
    ['Braille blank', '\u2800'],
    ['line separator', '\u2028'],
    ['escape', '\u001b'],
    ['carriage return', '\r'],
    ['C1 control', '\u0085'],
    ['lone surrogate', '\ud800'],
    ['combining grapheme joiner', '\u034f'],
  ])('do not reach a reader: %s', (_what, character) => {
    expect(visibleText(`a${character}b`)).toBe('ab');
    expect(invisibleIn(`a${character}b`)).toBe(1);
  });

  it('leave what is seen: tabs, line feeds, letters of all scripts, emoji', () => {
    const text = 'a\tb\nñ 漢字 עברית 😀 €';
    expect(visibleText(text)).toBe(text);
  });

  it('go from names of fields too, where two that become one are kept once', () => {
    expect(visibleJson({ 'a\u200b': 1, a: 2, __proto__x: [{ 'b\u00ad': 'c\u200b' }] })).toEqual({ a: 1, __proto__x: [{ b: 'c' }] });
    expect(Object.getPrototypeOf(visibleJson(JSON.parse('{"__pro\\u200bto__": {"x": 1}}')))).toBe(Object.prototype);
  });
});

describe('an offered tool', () => {
  it.each(['', '../x', 'a b', 'a\u200b', 'ä', '-x', 'x'.repeat(129), '__proto__'])('is refused for the name %j', (name) => {
    expect(offeredProblem(offered(name))).toContain('name');
  });

  it('is taken for an ordinary name', () => {
    for (const name of ['read_file', 'get-sum', 'admin/tools.list', 'A1']) expect(offeredProblem(offered(name))).toBeUndefined();
  });

  it('is refused when it is nested too deep or too long', () => {
    let deep: OfferedTool['input'] = {};
    for (let level = 0; level < 70; level++) deep = { properties: { x: deep } };
    expect(offeredProblem(offered('a', { input: deep }))).toContain('deeper');
    expect(offeredProblem(offered('a', { description: 'x'.repeat(300_000) }))).toContain('longer');
  });

  it('is shadowed by another of the same letters', () => {
    expect([...shadowedNames([offered('send'), offered('Send'), offered('read')])]).toEqual(['send', 'Send']);
  });
});

describe('the terms of a tool', () => {
  it('are the strictest where nobody declared anything, whatever it hints', () => {
    expect(termsOf(offered('a', { hints: { annotations: { readOnlyHint: true } } }), [], {})).toMatchObject({ effect: 'non-idempotent-write', data: 'public', onError: 'unknown' });
  });

  it('come from the first rule that matches, then from the source', () => {
    const rules = [
      { match: 'read_*', effect: 'read' as const },
      { match: '*', effect: 'idempotent-write' as const, timeoutMs: 5 },
    ];
    expect(termsOf(offered('read_x'), rules, { data: 'private', timeoutMs: 9 })).toMatchObject({ effect: 'read', data: 'private', timeoutMs: 9 });
    expect(termsOf(offered('other'), rules, { timeoutMs: 9 })).toMatchObject({ effect: 'idempotent-write', timeoutMs: 5 });
  });

  it('match names literally but for the star', () => {
    expect(termsOf(offered('aXb'), [{ match: 'a.b', effect: 'read' }], {}).effect).toBe('non-idempotent-write');
  });

  it('take the class of the source itself unless the operator says another', () => {
    expect(termsOf(offered('a', { effect: 'read' }), [], {}).effect).toBe('read');
    expect(termsOf(offered('a', { effect: 'read' }), [{ match: 'a', effect: 'idempotent-write' }], {}).effect).toBe('idempotent-write');
  });
});

describe('a source that says that it has changed', () => {
  it('is looked at soon, and ever less while it never is the same', () => {
    expect([0, 1, 2, 4, 5, 1_000_000].map(announcedWaitMs)).toEqual([100, 400, 1_600, 25_600, 60_000, 60_000]);
  });
});
