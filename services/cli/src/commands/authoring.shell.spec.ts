import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'weft-authoring-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = "document: {dsl: '1.0.3', namespace: test, name: n, version: 1.0.0}\n";
function written(text: string, extension = 'yaml'): string {
  const file = join(folder, `${Math.random()}.${extension}`);
  writeFileSync(file, text);
  return file;
}
function weft(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  return { code: status, out: stdout, err: stderr };
}

describe('weft lint', { timeout: 30_000 }, () => {
  const warned = written(`${HEAD}do:\n  - a: {set: {x: .y}}\n`);

  it('tells findings with place and rule, and fails for warnings only where they are limited', () => {
    const { code, out } = weft('lint', warned);
    expect(out).toBe(
      `${warned}:3:15 warning Expected "\${ .y }" at /do/0/a/set/x, if an expression is meant, but found the text ".y". text-like-expression\n0 errors, 1 warnings, 0 remarks in 1 files\n`,
    );
    expect(code).toBe(0);
    expect(weft('lint', warned, '--max-warnings', '0').code).toBe(1);
    expect(weft('lint', warned, '--max-warnings', '0', '--ignore', 'text-like-expression').code).toBe(0);
  });

  it('fails for what publish refuses, and tells JSON', () => {
    const file = written(`${HEAD}do:\n  - a: {sett: {}}\n`);
    const { code, out } = weft('lint', file, warned, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ errors: 1, warnings: 1, infos: 0, files: [{ file, findings: [{ rule: 'workflow-invalid', severity: 'error', line: 3 }] }, { file: warned }] });
  });

  it('lists its rules, each of which the page explains', () => {
    const rules = JSON.parse(weft('lint', '--rules', '--json').out) as readonly { readonly id: string }[];
    const page = readFileSync(fileURLToPath(new URL('../../../../docs/authoring.md', import.meta.url)), 'utf8');
    expect(rules.length).toBeGreaterThan(10);
    for (const { id } of rules) expect(page).toContain(`| \`${id}\` |`);
  });

  it('refuses files and options that are wrong', () => {
    expect(weft('lint', join(folder, 'none.yaml'))).toMatchObject({ code: 2, err: expect.stringContaining('there is no such file') });
    expect(weft('lint', warned, '--ignore', 'nothing').code).toBe(2);
    expect(weft('lint').code).toBe(2);
  });
});

describe('weft graph, schema and build', { timeout: 30_000 }, () => {
  const program = written("import { set, workflow } from '@weft/builder';\nexport default workflow('w').do({ a: set({ x: 1 }) });\n", 'ts');

  it('draw a document, also one that a program builds', () => {
    expect(weft('graph', program).out).toBe('flowchart TD\n  n0(["start"])\n  n1["a: set"]\n  n2(["end"])\n  n0 --> n1\n  n1 --> n2\n');
    expect(weft('graph', program, '--format', 'dot').out).toContain('digraph workflow {');
    expect(JSON.parse(weft('graph', program, '--format', 'json').out)).toMatchObject({ nodes: [{ id: 'start' }, { id: '/do/0/a', kind: 'set' }, { id: 'end' }] });
    expect(weft('graph', written(`${HEAD}do: []\n`)).code).toBe(1);
  });

  it('print a schema', () => {
    const file = join(folder, 'schema.json');
    expect(weft('schema', '--out', file).code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'a workflow document' });
  });

  it('turn programs into documents and back', () => {
    const yaml = weft('build', program).out;
    expect(yaml).toContain('do:\n  - a:\n      set:\n        x: 1\n');
    const again = written(weft('build', written(yaml), '--typescript').out, 'ts');
    expect(readFileSync(again, 'utf8')).toContain("export default workflow('w', ");
    expect(weft('build', again).out).toBe(yaml);
  });
});

describe('what cannot be read or written', { timeout: 60_000 }, () => {
  it('is refused by build as by all others', () => {
    for (const text of ['', 'a: [', '42', `${HEAD}do: [{a: {sett: {}}}]`]) {
      const { code, out, err } = weft('build', written(text));
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/Expected .* but/);
    }
    expect(weft('build', folder)).toMatchObject({ code: 2, err: expect.stringContaining('it is a folder') as string });
  });

  it('is told of the file that schema was to write', () => {
    expect(weft('schema', '--out', join(folder, 'none', 'x.json'))).toMatchObject({ code: 2, err: expect.stringContaining('its folder is not there') as string });
    expect(weft('schema', '--out', folder)).toMatchObject({ code: 2, err: expect.stringContaining('it is a folder') as string });
  });
});
