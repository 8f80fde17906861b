import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { WORKFLOW_SCHEMA } from './document.schema.js';
import { ACCEPTED, messagesOf } from './documents.testing.js';

const folder = `${process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../shared/fixtures', import.meta.url))}/ows`;
const isPresent = existsSync(`${folder}/schema/workflow.yaml`);

const NOT_CARRIED_OUT = ['any', 'all', 'foreach', 'run', 'schedule', 'timeout', 'authentication', 'authentications', 'functions', 'secrets', 'extensions'];
const CALLS = ['openapi', 'grpc', 'asyncapi', 'mcp', 'a2a'];

/** What an example uses that this engine does not carry out. */
function beyond(value: Json): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((item) => beyond(item));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, field]) => [
    ...(NOT_CARRIED_OUT.includes(key) ? [key] : []),
    ...(key === 'call' && (CALLS.includes(String(field)) || String(field).includes('://')) ? [String(field)] : []),
    ...beyond(field),
  ]);
}

describe('the schema of documents', () => {
  it('is a valid JSON Schema that accepts what parseWorkflow accepts', () => {
    const isWorkflow = new Ajv2020({ strict: false }).compile(WORKFLOW_SCHEMA);
    for (const [what, document] of Object.entries(ACCEPTED)) expect([what, isWorkflow(document)]).toEqual([what, true]);
  });
});

describe.skipIf(!isPresent)('beside the schema and examples of Open Workflow Specification 1.0.3 (fixtures/ows)', () => {
  const examples = isPresent ? readdirSync(`${folder}/examples`).map((file) => ({ file, text: readFileSync(`${folder}/examples/${file}`, 'utf8') })) : [];

  it.each(Object.entries(ACCEPTED))('the standard accepts %s too', (_what, document) => {
    const schema = parse(readFileSync(`${folder}/schema/workflow.yaml`, 'utf8')) as JsonObject;
    const isStandard = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect(isStandard(document) ? [] : isStandard.errors).toEqual([]);
  });

  it('accepts the examples that use only what it carries out', () => {
    const ours = examples.filter(({ text }) => beyond(parse(text) as Json).length === 0);
    expect(ours.length).toBeGreaterThanOrEqual(19);
    for (const { file, text } of ours) expect([file, messagesOf(text)]).toEqual([file, []]);
  });

  it('refuses the others and names what it does not carry out', () => {
    const others = examples.filter(({ text }) => beyond(parse(text) as Json).length > 0);
    expect(others.length).toBeGreaterThanOrEqual(40);
    for (const { file, text } of others) {
      const told = messagesOf(text).join('\n');
      expect([file, told]).toEqual([file, expect.stringMatching(/which it does not yet|but \/do\/0\/log calls "https:/)]);
      expect([file, beyond(parse(text) as Json).some((feature) => told.includes(feature.slice(0, 40)))]).toEqual([file, true]);
    }
  });
});
