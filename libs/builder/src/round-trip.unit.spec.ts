import type { JsonObject } from '@weft/kernel';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { anyDocument, builtFrom } from './documents.testing.js';
import { fromDocument } from './from-document.js';
import { toTypeScript } from './to-typescript.js';

const folder = `${process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../shared/fixtures', import.meta.url))}/ows/examples`;

describe('a document and the builder', () => {
  describe.skipIf(!existsSync(folder))('by the examples of the specification (skipped: ../shared/fixtures/ows/examples is not there)', () => {
    const examples = (existsSync(folder) ? readdirSync(folder) : []).map((file) => ({ file, document: parse(readFileSync(`${folder}/${file}`, 'utf8')) as JsonObject }));

    it.each(examples)('$file becomes a workflow that builds an equal document', ({ document }) => {
      expect(fromDocument(document).toDocument()).toEqual(document);
    });

    it('each becomes TypeScript that compiles and builds an equal document', { timeout: 60_000 }, () => {
      expect(examples.length).toBeGreaterThanOrEqual(66);
      expect(
        builtFrom(
          examples.map(({ document }) => toTypeScript(document)),
          { check: true },
        ),
      ).toEqual(examples.map(({ document }) => document));
    });
  });

  it('any document becomes a workflow that builds an equal one', () => {
    fc.assert(fc.property(anyDocument, (document) => void expect(fromDocument(document).toDocument()).toEqual(document)));
  });

  it('any document becomes TypeScript that builds an equal one', { timeout: 60_000 }, () => {
    const documents = fc.sample(anyDocument, 200);
    const built = builtFrom(documents.map(toTypeScript));
    documents.forEach((document, i) => expect([toTypeScript(document), built[i]]).toEqual([toTypeScript(document), document]));
  });
});
