import type { JsonObject } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { compileSearchAttributes } from './search-attributes.js';

const attributesOf = (templates: JsonObject, input: JsonObject) => compileSearchAttributes(templates)?.(input, 0);

describe('search attributes', () => {
  it('are values of the input as text, and constants', () => {
    expect(attributesOf({ customer: '${ .customer }', amount: '${ .amount }', team: 'billing', urgent: '${ .amount > 100 }' }, { customer: 'c-42', amount: 120 })).toEqual([
      ['customer', 'c-42'],
      ['amount', '120'],
      ['team', 'billing'],
      ['urgent', 'true'],
    ]);
  });

  it('have several values when their expression gives a list, each once', () => {
    expect(attributesOf({ tag: '${ .tags }' }, { tags: ['a', 'b', 'a', null, { c: 1 }] })).toEqual([
      ['tag', 'a'],
      ['tag', 'b'],
    ]);
  });

  it('leave out what fails, is missing, is too long or cannot be stored', () => {
    const input = { number: 1, long: 'x'.repeat(257), nul: 'a\u0000b', half: '\ud800' };
    expect(attributesOf({ fails: '${ .number | keys }', none: '${ .nothing }', long: '${ .long }', nul: '${ .nul }', half: '${ .half }', here: '${ .number }' }, input)).toEqual([['here', '1']]);
  });

  it('cost nothing where a document has none', () => {
    expect(compileSearchAttributes({})).toBeUndefined();
  });
});
