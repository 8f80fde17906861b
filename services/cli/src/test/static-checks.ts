// What can be judged without running Weft: format, lint, types, generated code.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inRoot } from '../paths.js';
import { runChild } from './child.js';
import type { Step, StepOutcome } from './step.js';

const STATIC_TIMEOUT_MS = 180_000;
const GENERATED = ['libs', 'contracts', 'src', 'generated'] as const;
const binary = (name: string): string => inRoot('node_modules', '.bin', name);
// Programs of dependencies start `node` by name: theirs is the one this process runs on.
const environment = { PATH: [inRoot('node_modules', '.bin'), inRoot('node_modules', 'node', 'bin'), process.env['PATH'] ?? ''].join(delimiter), NO_COLOR: '1' };

/** Format, lint, types of sources and specs, and generated code, in this order. */
export function staticSteps(): readonly Step[] {
  return [
    command('format', 'oxfmt', ['--check'], 'Run `node_modules/.bin/oxfmt` to repair it.'),
    // Rules that need types take a second program, which not every platform has.
    command('lint', 'oxlint', ['--deny-warnings', ...(existsSync(inRoot('node_modules', 'oxlint-tsgolint')) ? ['--type-aware'] : [])]),
    command('types', 'tsc', ['-b']),
    command('types of specs', 'tsc', ['-p', 'tsconfig.specs.json']),
    command('proto lint', 'buf', ['lint', 'proto']),
    { name: 'generated code', run: generatedIsClean },
  ];
}

function command(name: string, file: string, args: readonly string[], remedy = ''): Step {
  return {
    name,
    run: async (signal): Promise<StepOutcome> => {
      const { code, output } = await runChild(binary(file), args, { timeoutMs: STATIC_TIMEOUT_MS, signal, environment });
      return code === 0 ? { status: 'passed' } : { status: 'failed', output: `${output.trimEnd()}\n${remedy}` };
    },
  };
}

async function generatedIsClean(signal: AbortSignal): Promise<StepOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-generated-'));
  try {
    // The template writes beside proto/, so the output is nested one level to land inside this folder.
    const { code, output } = await runChild(binary('buf'), ['generate', '-o', join(folder, 'proto')], { cwd: inRoot('proto'), timeoutMs: STATIC_TIMEOUT_MS, signal, environment });
    if (code !== 0) return { status: 'failed', output };
    const differences = await differencesBetween(join(folder, ...GENERATED), inRoot(...GENERATED));
    if (differences.length === 0) return { status: 'passed' };
    return {
      status: 'failed',
      output: `Expected the generated code to be what proto/ gives but ${differences.join('; ')}.\nRun \`cd proto && ../node_modules/.bin/buf generate\` and commit the result.`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What stands in one folder and not, or not the same, in the other. */
export async function differencesBetween(expected: string, actual: string): Promise<readonly string[]> {
  const [wanted, present] = await Promise.all([filesUnder(expected), filesUnder(actual)]);
  const missing = wanted.filter((name) => !present.includes(name)).map((name) => `${name} is missing`);
  const extra = present.filter((name) => !wanted.includes(name)).map((name) => `${name} comes from no proto file`);
  const both = wanted.filter((name) => present.includes(name));
  const isSame = await Promise.all(both.map(async (name) => (await readFile(join(expected, name), 'utf8')) === (await readFile(join(actual, name), 'utf8'))));
  return [...missing, ...extra, ...both.filter((_, index) => !isSame[index]).map((name) => `${name} differs`)];
}

async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
