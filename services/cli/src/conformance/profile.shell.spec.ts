// The profile as it is published: every rule, task type and function of it, run over the public interface of a Weft of its own.
import { FUNCTION_NAMES, TASK_KINDS } from '@weft/workflow';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inRoot } from '../paths.js';
import type { ScenarioResult } from './ows-suite.js';
import { profileFeatures } from './profile-features.js';
import { rulesText, withRules } from './report.js';

const RULES = 25;
const features = profileFeatures();
const scenarios = features.flatMap((feature) => feature.scenarios);

const home = mkdtempSync(join(tmpdir(), 'weft-profile-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** As the command runs it, whether or not all of it passes. */
async function ran(folder: string): Promise<readonly ScenarioResult[]> {
  const child = spawn(process.execPath, [inRoot('services', 'cli', 'dist', 'main.js'), 'conformance', 'ows', folder, '--json'], {
    env: { ...process.env, WEFT_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  await new Promise((resolve) => child.once('close', resolve));
  return (JSON.parse(out) as { readonly scenarios: readonly ScenarioResult[] }).scenarios;
}

describe('the profile', () => {
  let results: readonly ScenarioResult[] = [];
  beforeAll(async () => {
    results = await ran(inRoot('tests', 'profile'));
  }, 300_000);

  for (const [index, { feature, name }] of scenarios.entries())
    it(`${feature}: ${name}`, () => {
      expect(results[index]).toEqual({ feature, scenario: name, passed: true, reasons: [] });
    });
});

describe('what the profile covers', () => {
  const named = (folder: string): readonly string[] => features.filter(({ path }) => path.startsWith(`${folder}/`)).map(({ path }) => path.slice(folder.length + 1).replace('.feature', ''));

  it('is every rule', () => {
    expect(named('rules').map((name) => Number(/^rule-(\d\d)-/.exec(name)?.[1]))).toEqual(Array.from({ length: RULES }, (_, index) => index + 1));
  });

  it('is every task type', () => {
    expect(named('tasks')).toEqual([...TASK_KINDS].sort());
  });

  it('is every function of the default catalogue', () => {
    expect(named('functions')).toEqual([...FUNCTION_NAMES].sort());
  });

  it('stands in its page as the features say it', () => {
    const page = readFileSync(inRoot('docs', 'workflow-profile.md'), 'utf8');
    expect(withRules(page, rulesText(features)), 'write it anew: ./weft conformance report').toBe(page);
  });
});
