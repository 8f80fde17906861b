import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deadLinks } from './links.js';
import { listFiles, readText, ROOT } from './source-tree.js';

const files = listFiles();
const texts = new Map(files.filter((path) => path.endsWith('.md')).map((path) => [path, readText(path)]));
const exists = (path: string): boolean => path === '.' || existsSync(join(ROOT, path));

describe('Markdown links', () => {
  it('lead to files and headings that are there', () => {
    expect(deadLinks(texts, exists)).toEqual([]);
  });

  it.each([
    ['[x](docs/gone.md)', 'docs/gone.md'],
    ['[x](CONTRIBUTING.md#no-such-heading)', 'CONTRIBUTING.md#no-such-heading'],
    ['[x]: libs/gone.ts', 'libs/gone.ts'],
    ['![x](docs/gone.png)', 'docs/gone.png'],
  ])('are found dead: %s', (text, link) => {
    expect(deadLinks(new Map([...texts, ['PLANTED.md', text]]), exists).filter(({ path }) => path === 'PLANTED.md')).toEqual([{ path: 'PLANTED.md', link }]);
  });

  it('in code and to the web are left alone', () => {
    expect(deadLinks(new Map([['PLANTED.md', '`a](gone.md)` [x](https://example.com/gone)\n```\n[x](gone.md)\n```\n']]), exists)).toEqual([]);
  });
});

describe('decision records', () => {
  const records = files.filter((path) => /^docs\/adr\/\d/.test(path)).map((path) => path.slice('docs/adr/'.length));

  it('are numbered without gaps or doubles', () => {
    expect(records.map((name) => Number(name.slice(0, 4))).sort((a, b) => a - b)).toEqual(records.map((_, index) => index + 1));
  });

  it('have the same five parts, in order', () => {
    for (const name of records) {
      const parts = [...readText(`docs/adr/${name}`).matchAll(/^## (.+)$/gm)].map(([, title]) => title);
      expect(parts, name).toEqual(['Status', 'Context', 'Decision', 'Consequences', 'Rejected options']);
    }
  });

  it('stand in the index, each in one line', () => {
    const index = texts.get('docs/adr/README.md') ?? '';
    for (const name of records) expect(index).toContain(`](${name})`);
  });
});

describe('ARCHITECTURE.md', () => {
  it('stays within 200 lines', () => {
    expect(texts.get('ARCHITECTURE.md')?.split('\n').length).toBeLessThanOrEqual(200);
  });
});
