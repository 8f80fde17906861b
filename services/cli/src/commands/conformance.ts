// `weft conformance`: suites that others wrote, run against this installation.
import type { SuiteResult } from '@weft/jq';
import type { Command } from 'commander';
import { basename } from 'node:path';
import { runJqSuite } from '../conformance/jq-suite.js';
import { CommandFailed } from '../exit-codes.js';
import { colors, printer, table } from '../output/print.js';
import { readInput, withExamples } from './command.js';

/** Share of a file's groups that has to pass, percent. */
const FLOOR_PERCENT = 98;

export function registerConformance(program: Command): void {
  const conformance = program.command('conformance').description('Run suites that others wrote; exits with 1 when too little of them passes');
  const jq = conformance
    .command('jq')
    .description(`Run test files in the form of jq's own; exits with 1 when less than ${FLOOR_PERCENT} % of a file passes`)
    .argument('<file...>', "test files, such as jq's tests/jq.test")
    .option('--json', 'print one JSON line');
  withExamples(jq, [
    ['./weft conformance jq jq.test man.test', 'how many groups pass, and why the others do not'],
    ['./weft conformance jq jq.test --json', 'one JSON line: {files: [{file, passed, total, skipped, misses}]}'],
  ])
    .addHelpText('after', '\nGroups that import modules are skipped and not counted in the total: expressions of workflows read no files.')
    .action(runJq);
}

interface FileResult extends SuiteResult {
  readonly file: string;
}

async function runJq(paths: readonly string[], { json = false }: { readonly json?: boolean }): Promise<void> {
  const out = printer(json);
  const texts = paths.map((path) => readInput(path, 'a test file of jq'));
  const files: FileResult[] = [];
  // One after the other: each has a thread with a large stack.
  for (const [i, text] of texts.entries()) files.push({ file: basename(paths[i]!), ...(await runJqSuite(text)) });
  out.data({ files }, () => files.map(fileText).join('\n'));
  const poor = files.filter(({ passed, total }) => passed * 100 < total * FLOOR_PERCENT);
  if (poor.length > 0) throw new CommandFailed(`Less than ${FLOOR_PERCENT} % pass of ${poor.map(({ file }) => file).join(', ')}.`);
}

function fileText({ file, passed, total, skipped, misses }: FileResult): string {
  const head = `${file}: ${passed} of ${total} groups pass${skipped === 0 ? '' : `, ${skipped} that import modules are skipped`}`;
  return [head, table(misses.map(({ program, reason }) => [`  ${colors.red('✗')} ${program.slice(0, 80)}`, colors.dim(reason)]))].filter((part) => part !== '').join('\n');
}
