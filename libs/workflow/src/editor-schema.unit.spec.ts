import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ACCEPTED } from './documents.testing.js';
import { editorSchema } from './editor-schema.js';
import { FUNCTION_NAMES } from './functions.js';

const folder = `${process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../shared/fixtures', import.meta.url))}/ows/examples`;

describe('the schema for editors', () => {
  const schema = editorSchema();
  const accepts = new Ajv2020({ strict: false }).compile(schema);

  it('accepts what parseWorkflow accepts', () => {
    for (const [what, document] of Object.entries(ACCEPTED)) expect([what, accepts(document)]).toEqual([what, true]);
  });

  it.skipIf(!existsSync(folder))('accepts every example of the specification (skipped: ../shared/fixtures/ows/examples is not there)', () => {
    for (const file of readdirSync(folder)) expect([file, accepts(parse(readFileSync(`${folder}/${file}`, 'utf8')))]).toEqual([file, true]);
  });

  it('knows the arguments of the default functions', () => {
    const document = (call: string, args: JsonObject) => ({ document: { dsl: '1.0.3', namespace: 'n', name: 'n', version: '1.0.0' }, do: [{ a: { call, with: args } }] });
    expect(accepts(document('infer', { prompt: 'x' }))).toBe(true);
    expect(accepts(document('infer', { promt: 'x' }))).toBe(false);
    for (const name of FUNCTION_NAMES) expect((schema['$defs'] as JsonObject)[`${name}Arguments`]).toMatchObject({ description: expect.stringMatching(/\.$/) });
  });

  it('describes its fields', () => {
    const described = (value: Json | undefined): number =>
      isJsonObject(value) ? (typeof value['description'] === 'string' ? 1 : 0) + Object.values(value).reduce((sum: number, one) => sum + described(one), 0) : 0;
    expect(described(schema)).toBeGreaterThan(100);
    expect((schema['properties'] as { do: JsonObject })['do']['description']).toMatch(/^Tasks, one after the other/);
  });
});
