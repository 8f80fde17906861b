import { describe, expect, it } from 'vitest';
import { allSettings, envExampleOf, variablesRead } from './settings.js';
import { sourceTree, withPlanted, type SourceTree } from './source-tree.js';

const tree = sourceTree();

async function undescribed(within: SourceTree): Promise<readonly string[]> {
  const rows = (await allSettings(within)).flatMap((section) => section.rows);
  const isDescribed = (variable: string): boolean => rows.some(({ name }) => (variable.endsWith('_') ? name.startsWith(variable) : name === variable));
  return [...variablesRead(within)].filter(([variable]) => !isDescribed(variable)).map(([variable, paths]) => `${variable} in ${paths.join(', ')}`);
}

describe('settings', () => {
  it('that sources read are described, in a schema or for the command line', async () => {
    expect(await undescribed(tree)).toEqual([]);
  });

  it('have a meaning each', async () => {
    expect((await allSettings(tree)).flatMap(({ rows }) => rows.filter(({ description }) => description === '').map(({ name }) => name))).toEqual([]);
  });

  it('stand in .env.example as the schemas describe them', async () => {
    await expect(envExampleOf(await allSettings(tree)), 'build, then update it with: node_modules/.bin/vitest run tests/architecture/settings.spec.ts -u').toMatchFileSnapshot('../../.env.example');
  });

  it.each(["const x = process.env['WEFT_PLANTED'];", 'const { WEFT_PLANTED } = process.env;', 'const x = process.env.WEFT_PLANTED;'])('that nobody described are found: %s', async (text) => {
    expect(await undescribed(withPlanted(tree, { 'services/cli/src/planted.ts': text }))).toContain('WEFT_PLANTED in services/cli/src/planted.ts');
  });
});
