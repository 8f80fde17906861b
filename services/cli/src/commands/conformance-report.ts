// `weft conformance report`: runs every suite of the workflow language and writes the pages that tell of it.
import { isJsonObject, type Json } from '@weft/kernel';
import type { Command } from 'commander';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { judgeExample } from '../conformance/examples-suite.js';
import { readFeature } from '../conformance/feature-file.js';
import { runJqSuite } from '../conformance/jq-suite.js';
import { runOwsSuite } from '../conformance/ows-suite.js';
import { profileFeatures } from '../conformance/profile-features.js';
import { reportText, rulesText, withRules, type ProfileFeature, type Runs } from '../conformance/report.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer } from '../output/print.js';
import { inRoot } from '../paths.js';
import { interruptible } from '../processes/interruption.js';
import { withExamples } from './command.js';

const COMMAND = './weft conformance report';

export function registerReport(conformance: Command): void {
  const report = conformance
    .command('report')
    .description('Run every suite of the workflow language and write docs/conformance.md and the rules in docs/workflow-profile.md; exits with 1 when something does not pass')
    .argument('[fixtures]', 'folder with ows/ctk, ows/examples and jq/*.test', inRoot('..', 'shared', 'fixtures'))
    .option('--out <folder>', 'folder of the pages', inRoot('docs'))
    .option('--json', 'print one JSON line');
  withExamples(report, [
    [COMMAND, 'both pages, about a minute'],
    [`${COMMAND} --json | jq .ctk`, 'one JSON line: {date, version, command, ctk, profile, examples, jq}'],
  ]).action(run);
}

async function run(fixtures: string, { out: folder, json = false }: { readonly out: string; readonly json?: boolean }): Promise<void> {
  const out = printer(json);
  if (!existsSync(join(fixtures, 'ows', 'ctk'))) throw new CommandFailed(`Expected a folder with ows/ctk, ows/examples and jq but ${fixtures} has none. Name it: ${COMMAND} DIR`, EXIT.usage);
  const features = profileFeatures();
  const runs = await interruptible(out.progress, (told) => Promise.race([runAll(fixtures, features, out.progress), told]));
  const profilePage = join(folder, 'workflow-profile.md');
  writeFileSync(join(folder, 'conformance.md'), reportText(runs));
  writeFileSync(profilePage, withRules(readFileSync(profilePage, 'utf8'), rulesText(features)));
  out.data(runs, () => `wrote ${join(folder, 'conformance.md')} and the rules in ${profilePage}`);
  const missed = [...runs.ctk, ...runs.profile].filter(({ passed }) => !passed).length + runs.examples.filter(({ valid, roundTrip }) => !valid || !roundTrip).length;
  if (missed > 0) throw new CommandFailed(`${missed} scenarios and examples do not pass.`);
}

async function runAll(fixtures: string, features: readonly ProfileFeature[], onProgress: (text: string) => void): Promise<Runs> {
  const read = (path: string): string => readFileSync(join(fixtures, path), 'utf8');
  const kit = globSync('ows/ctk/**/*.feature', { cwd: fixtures })
    .sort()
    .flatMap((path) => readFeature(read(path)));
  const profile = features.flatMap(({ scenarios }) => scenarios);
  onProgress(`running ${kit.length + profile.length} scenarios`);
  const results = await runOwsSuite([...kit, ...profile], onProgress);
  const jq: Runs['jq'][number][] = [];
  for (const path of globSync('jq/*.test', { cwd: fixtures }).sort()) {
    onProgress(`running ${basename(path)}`);
    jq.push({ file: basename(path), ...(await runJqSuite(read(path))) });
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    version: versionText(),
    command: COMMAND,
    ctk: results.slice(0, kit.length),
    profile: results.slice(kit.length),
    examples: globSync('ows/examples/*.yaml', { cwd: fixtures })
      .sort()
      .map((path) => judgeExample(basename(path), read(path))),
    jq,
  };
}

function versionText(): string {
  const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as Json;
  const version = isJsonObject(manifest) ? String(manifest['version']) : '';
  const { stdout, status } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: inRoot(), encoding: 'utf8' });
  return status === 0 ? `${version} (${stdout.trim()})` : version;
}
