import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasStandard, standardSchema } from '../documents.testing.js';
import { typesOf } from '../schema-types.testing.js';

const FILE = fileURLToPath(new URL('standard.ts', import.meta.url));

describe.skipIf(!hasStandard)('the types of documents (from fixtures/ows)', () => {
  it('are those that the schema of the standard says', () => {
    const made = typesOf(standardSchema(), 'StandardWorkflow');
    if (process.env['RECORD_TYPES'] === '1') writeFileSync(FILE, made);
    expect(existsSync(FILE) ? readFileSync(FILE, 'utf8') : '', 'RECORD_TYPES=1 npx vitest run libs/workflow/src/generated makes them anew').toBe(made);
  });
});

describe('types of a schema', () => {
  it.each([
    [{ type: 'object', required: ['a'], properties: { a: { type: 'string' }, 'b-c': { type: 'integer' } } }, "{ readonly a: string; readonly 'b-c'?: number; }"],
    [{ type: 'object', additionalProperties: true, properties: { a: { type: 'string' } } }, '{ readonly a?: string; readonly [name: string]: unknown; }'],
    [{ enum: ['x', 'y'] }, "'x' | 'y'"],
    [{ type: 'array', items: { enum: ['x', 'y'] } }, "readonly ('x' | 'y')[]"],
    [{ type: 'object', additionalProperties: { $ref: '#/$defs/some' } }, 'Readonly<Record<string, Some>>'],
    [{ type: 'object' }, 'JsonObject'],
    [{ required: ['a'], allOf: [{ $ref: '#/$defs/some' }, { properties: { a: { const: 'x' } } }] }, "Some & { readonly a: 'x'; }"],
    [{ type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: {} } }, '{ readonly a?: Json; }'],
    [{ oneOf: [{ type: 'string' }, { properties: { a: false } }] }, 'string | { readonly a?: undefined; }'],
  ])('%j is %s', (schema, type) => {
    expect(typesOf(schema as never, 'Root').replaceAll(/\s+/g, ' ')).toContain(`export type Root = ${type};`);
  });
});
