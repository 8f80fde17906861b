import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { argumentFacts } from './argument-facts.js';
import { joinReads, readsOf } from './policy-reads.js';

const context: Json = { Var: 'context' };
const dot = (left: Json, attr: string): Json => ({ '.': { left, attr } });
const args = dot(context, 'arguments');
const tag = (operator: 'getTag' | 'hasTag', type: string, right: Json): Json => ({ [operator]: { left: dot(args, type), right } });
const when = (body: Json): Json => [{ kind: 'when', body }];
const shown = (conditions: Json): unknown => {
  const { attributes, arguments: read, names } = readsOf(conditions);
  return { attributes: [...attributes].sort(), arguments: read === 'all' ? read : [...read].map(([pointer, types]) => `${pointer}:${[...types].join()}`), names };
};

describe('readsOf', () => {
  it('finds attributes of the context and arguments by pointer and type', () => {
    const body: Json = {
      '&&': {
        left: { '&&': { left: tag('hasTag', 'text', { Value: '/to' }), right: { like: { left: tag('getTag', 'text', { Value: '/to' }), pattern: ['Wildcard'] } } } },
        right: { '&&': { left: { has: { left: context, attr: 'moneyLeft' } }, right: { '==': { left: dot(dot(context, 'actor'), 'name'), right: { Value: 'key:1' } } } } },
      },
    };
    expect(shown(when(body))).toEqual({ attributes: ['actor', 'moneyLeft'], arguments: ['/to:text'], names: false });
  });

  it('reads nothing in conditions about the principal and the resource', () => {
    expect(shown(when({ '==': { left: dot({ Var: 'principal' }, 'name'), right: { Value: 'context' } } }))).toEqual({ attributes: [], arguments: [], names: false });
  });

  it.each<[string, Json, object]>([
    ['the context as a whole', { '==': { left: context, right: { Value: 1 } } }, { arguments: 'all' }],
    ['the context inside a record', { '==': { left: { Record: { Value: context } }, right: { Value: 1 } } }, { arguments: 'all' }],
    ['the arguments as a whole', { '==': { left: args, right: args } }, { arguments: 'all', names: true }],
    ['a key that is worked out', tag('getTag', 'text', dot(context, 'purpose')), { arguments: 'all', attributes: ['purpose'] }],
    [
      'one of two types',
      { getTag: { left: { 'if-then-else': { if: dot(context, 'private'), then: dot(args, 'text'), else: dot(args, 'text') } }, right: { Value: '/to' } } },
      { arguments: 'all', attributes: ['private'] },
    ],
    ['the names of arguments', { contains: { left: dot(args, 'names'), right: { Value: '/to' } } }, { names: true }],
  ])('takes %s for what it is', (_what, body, expected) => {
    expect(shown(when(body))).toMatchObject(expected);
  });

  it('joins what several read', () => {
    const joined = joinReads([readsOf(when(tag('getTag', 'text', { Value: '/to' }))), readsOf(when(tag('getTag', 'list', { Value: '/to' }))), readsOf(when(dot(context, 'private')))]);
    expect([[...joined.attributes], joined.arguments]).toEqual([['private'], new Map([['/to', new Set(['text', 'list'])]])]);
  });
});

describe('argumentFacts', () => {
  it('gives each value by its pointer, apart by type', () => {
    const facts = argumentFacts({ to: 'ann', amount: 5, ratio: 0.5, ok: true, tags: ['a', 'b'], deep: { 'a/b': 'x' }, nothing: null })!;
    expect(Object.fromEntries(facts.text)).toEqual({ '/to': 'ann', '/tags/0': 'a', '/tags/1': 'b', '/deep/a~1b': 'x' });
    expect([Object.fromEntries(facts.number), Object.fromEntries(facts.flag), Object.fromEntries(facts.list)]).toEqual([{ '/amount': 5 }, { '/ok': true }, { '/tags': ['a', 'b'] }]);
    expect(facts.names).toContain('/ratio');
    expect(facts.names).toContain('/nothing');
  });

  it('keeps a key with a dot or a slash apart from a path', () => {
    expect([...argumentFacts({ 'a.b': 'x', a: { b: 'y' }, 'a/b': 'z' })!.text]).toEqual([
      ['/a.b', 'x'],
      ['/a/b', 'y'],
      ['/a~1b', 'z'],
    ]);
  });

  it('gives none for arguments that are too large or too deep', () => {
    expect(argumentFacts(Array.from({ length: 3_000 }, () => 1))).toBeUndefined();
    expect(argumentFacts(JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as Json)).toBeUndefined();
  });
});
