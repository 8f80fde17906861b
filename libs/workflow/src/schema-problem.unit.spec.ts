import { describe, expect, it } from 'vitest';
import { schemaFault, schemaProblem } from './schema-problem.js';

const schema = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: { id: { type: 'string', maxLength: 3 }, at: { type: 'string', format: 'date-time' }, kind: { enum: ['a', 'b'] }, list: { type: 'array', items: { type: 'integer' } } },
};

describe('schemaProblem', () => {
  it('is silent about a value that satisfies the schema', () => {
    expect(schemaProblem(schema, { id: 'a', at: '2026-01-01T00:00:00Z', list: [1] })).toBeUndefined();
    expect(schemaProblem(true, 1)).toBeUndefined();
  });

  it.each([
    [{}, 'Expected `id` in the value but it is missing.'],
    [{ id: 1 }, 'Expected text at /id but found number.'],
    [{ id: 'a', list: [1, 'x'] }, 'Expected an integer at /list/1 but found text.'],
    [{ id: 'a', kind: 'secret' }, 'Expected one of ["a","b"] at /kind but found text.'],
    [{ id: 'a', more: 1 }, 'Expected only `id`, `at`, `kind`, `list` in the value but found `more`.'],
    [{ id: 'a', at: 'soon' }, 'Expected /at to match format "date-time" but found text.'],
    [{ id: 'secret' }, 'Expected /id to not have more than 3 characters but found text.'],
    [null, 'Expected an object at the value but found null.'],
  ])('says what is wrong with %j, without showing data', (value, sentence) => {
    expect(schemaProblem(schema, value)).toBe(sentence);
  });

  it('says that nothing satisfies the schema `false`', () => {
    expect(schemaProblem(false, 1)).toMatch(/^Expected .*\.$/);
  });

  it('keeps schemas of one $id apart', () => {
    expect(schemaProblem({ $id: 'https://example.com/s', type: 'string' }, 1)).toContain('Expected text');
    expect(schemaProblem({ $id: 'https://example.com/s', type: 'number' }, 1)).toBeUndefined();
  });
});

describe('schemaFault', () => {
  it.each([[{ type: 'nope' }], [{ $ref: 'https://example.com/elsewhere' }], [{ pattern: '(' }], [{ $async: true }], [{ $schema: 'https://example.com/draft' }], ['text'], [null], [[]]])(
    'tells that %j cannot be used',
    (unusable) => {
      expect(schemaFault(unusable)).toEqual(expect.any(String));
    },
  );

  it('accepts annotations that it does not know', () => {
    expect(schemaFault({ type: 'object', 'x-owner': 'billing', example: 1 })).toBeUndefined();
    expect(schemaFault(false)).toBeUndefined();
  });
});
