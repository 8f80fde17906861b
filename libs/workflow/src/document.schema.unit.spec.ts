import type { Json, JsonObject } from '@weft/kernel';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { WORKFLOW_SCHEMA } from './document.schema.js';
import { ACCEPTED, hasStandard, messagesOf, ports, standardExamples, standardSchema } from './documents.testing.js';
import { expressionProblems } from './expressions.js';
import { mutations } from './mutations.testing.js';
import { referenceProblems } from './references.js';
import { shapeProblems } from './shape.js';
import { placedTasks } from './tasks.js';

/** What is wrong with a document, whether it is carried out or not. */
function problemsOf(document: JsonObject): readonly string[] {
  const tasks = placedTasks(document);
  return [...shapeProblems(document, tasks), ...referenceProblems(document, tasks), ...expressionProblems(document, tasks, ports)].map(({ message }) => message);
}

describe('the schema of documents', () => {
  it('is a valid JSON Schema that accepts what parseWorkflow accepts', () => {
    const isWorkflow = new Ajv2020({ strict: false }).compile(WORKFLOW_SCHEMA);
    for (const [what, document] of Object.entries(ACCEPTED)) expect([what, isWorkflow(document)]).toEqual([what, true]);
  });
});

describe.skipIf(!hasStandard)('beside the schema and examples of Open Workflow Specification 1.0.3 (fixtures/ows)', () => {
  const examples = standardExamples().map(({ file, text }) => ({ file, document: parse(text) as JsonObject }));
  const isStandard = hasStandard ? new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(standardSchema()) : () => false;

  it.each(Object.entries(ACCEPTED))('the standard accepts %s too', (_what, document) => {
    expect(isStandard(document)).toBe(true);
  });

  it('accepts all 66 examples, and all that is in them is carried out', () => {
    expect(examples).toHaveLength(66);
    for (const { file, document } of examples) expect([file, messagesOf(document as Json)]).toEqual([file, []]);
  });

  it('refuses every change of an example that the standard refuses, and accepts none that it would not', { timeout: 120_000 }, () => {
    const [tooKind, seen] = [new Set<string>(), { accepted: 0, refused: 0 }];
    for (const { file, document } of examples) {
      for (const { what, document: changed } of mutations(document)) {
        const refusesHere = problemsOf(changed).length > 0;
        seen[refusesHere ? 'refused' : 'accepted'] += 1;
        if (!refusesHere && !isStandard(changed)) tooKind.add(`${file} ${what}`);
      }
    }
    expect([...tooKind].slice(0, 20)).toEqual([]);
    expect(seen.accepted).toBeGreaterThan(1_000);
    expect(seen.refused).toBeGreaterThan(10_000);
  });
});
