import { describe, expect, it } from 'vitest';
import { errorCodes } from './error-codes.js';
import { listFiles, readText, sourceTree, withPlanted } from './source-tree.js';

const FOLDER = 'docs/errors/';
const tree = sourceTree();
const pages = listFiles().filter((path) => path.startsWith(FOLDER) && path.endsWith('.md') && path !== `${FOLDER}README.md`);
const documented = pages.map((path) => path.slice(FOLDER.length, -'.md'.length)).sort();

describe('docs/errors', () => {
  it('has a page for each code that a rejection or failure can carry, and no other', () => {
    expect(documented).toEqual([...errorCodes(tree).keys()].sort());
  });

  it('says on each page what the code means, when it comes and what to do', () => {
    for (const path of pages) {
      const code = path.slice(FOLDER.length, -'.md'.length);
      const text = readText(path);
      expect(text.split('\n')[0], path).toBe(`# ${code}`);
      for (const heading of ['## When', '## What to do']) expect(text, path).toContain(`\n${heading}\n`);
    }
  });

  it('lists each page in its index', () => {
    const index = readText(`${FOLDER}README.md`);
    for (const code of documented) expect(index).toContain(`[${code}](${code}.md)`);
  });

  it.each([
    ["import { refuse } from '@weft/kernel'; refuse('planted-code', 'Expected x but y.');"],
    ["import { rejection } from '@weft/kernel'; export const r = (late: boolean) => rejection(late ? 'planted-code' : 'timeout', 'Expected x but y.');"],
    ["export const failure = { code: 'planted-code', message: 'Expected x but y.', retryable: false };"],
    ["export interface Failed { readonly code: 'timeout' | 'planted-code' }"],
    ["const deny = (code: string) => ({ code }); deny('planted-code');"],
  ])('would miss a page for: %s', (text) => {
    expect(errorCodes(withPlanted(tree, { 'services/tools/core/src/planted.ts': text })).has('planted-code')).toBe(true);
  });
});
