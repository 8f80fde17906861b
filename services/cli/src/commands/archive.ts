import type { Command } from 'commander';
import { resolve } from 'node:path';
import { archivesIn, readArchive, summaryOf, verifyArchive, type ArchiveSummary, type ArchiveVerdict } from '../client/archive-reader.js';
import { instant } from '../client/execution-query.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer, table } from '../output/print.js';
import { HOME, inHome } from '../paths.js';
import { administrate } from '../processes/administrate.js';
import { withExamples } from './command.js';

interface RunOptions {
  readonly before?: string;
  readonly folder: string;
  readonly recent?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface Report {
  readonly before: string;
  readonly dryRun: boolean;
  readonly executions: number;
  readonly files: readonly string[];
  readonly left: readonly { readonly executionId: string; readonly reason: string }[];
  readonly leftCount: number;
  readonly dropped: readonly string[];
  readonly notDropped: readonly string[];
}

const DAY_MS = 86_400_000;
// As long as a bus keeps messages: a start that comes again later would find nothing and begin anew.
const RECENT_MS = 8 * DAY_MS;

export function registerArchive(program: Command): void {
  const archive = program.command('archive').description('Executions that ended long ago: put them into files with their proofs, and out of the store');
  registerRun(archive);
  registerReading(archive);
}

function registerRun(archive: Command): void {
  const run = archive
    .command('run')
    .description('Archive what ended before a time, and remove it from the store. What runs is never touched')
    .option('--before <time>', 'RFC 3339, or an age such as 90d; default WEFT_RETENTION_DAYS ago', instant)
    .option('--folder <folder>', 'where the files go', inHome('archive'))
    .option('--recent', 'allow a time within the last 8 days: only where no bus keeps messages of these executions')
    .option('--dry-run', 'only count')
    .option('--json', 'print JSON')
    .action(async ({ before: asked, folder, recent = false, dryRun = false, json = false }: RunOptions) => {
      const before = asked ?? retentionTime(process.env['WEFT_RETENTION_DAYS']);
      checkBefore(before, recent || dryRun);
      const out = printer(json);
      out.progress(dryRun ? 'counting what would be archived' : `archiving to ${folder}`);
      const report = reportIn(await administrate(['archive', resolve(folder), before, ...(dryRun ? ['dry-run'] : [])], { WEFT_HOME: HOME, WEFT_PORT: '0' }, out.progress));
      out.data(report, () => reportText(report));
      if (report.leftCount > 0) process.exitCode = EXIT.failed;
    });
  withExamples(run, [
    ['./weft archive run --before 90d --dry-run', 'how many ended more than 90 days ago'],
    ['./weft archive run --before 90d', 'archive and remove them'],
    ['WEFT_RETENTION_DAYS=365 ./weft archive run --json', 'as a nightly job'],
  ]);
}

/** The time before which executions are not kept. @throws CommandFailed usage: nobody said how long they are. */
function retentionTime(days: string | undefined): string {
  if (Number(days) > 0) return new Date(Date.now() - Number(days) * DAY_MS).toISOString();
  throw new CommandFailed('Expected --before, or WEFT_RETENTION_DAYS, but neither is set: executions are kept for ever.', EXIT.usage);
}

/** @throws CommandFailed usage. */
function checkBefore(before: string, mayBeRecent: boolean): void {
  const at = Date.parse(before);
  if (at > Date.now()) throw new CommandFailed(`Expected a time that has passed but got ${before}.`, EXIT.usage);
  if (at > Date.now() - RECENT_MS && !mayBeRecent)
    throw new CommandFailed(
      `Expected a time at least 8 days ago but got ${before}: a message that the bus still keeps could start such an execution anew. With --recent it is done all the same.`,
      EXIT.usage,
    );
}

function registerReading(archive: Command): void {
  const list = archive
    .command('list')
    .description('The archives of a folder')
    .option('--folder <folder>', 'where the files are', inHome('archive'))
    .option('--json', 'print JSON')
    .action(async ({ folder, json = false }: { readonly folder: string; readonly json?: boolean }) => {
      const summaries: ArchiveSummary[] = [];
      for (const file of archivesIn(folder)) summaries.push(await summaryOf(file));
      printer(json).data(summaries, () => (summaries.length === 0 ? colors.dim(`no archives in ${folder}`) : table(summaries.map(rowOf))));
    });
  withExamples(list, [['./weft archive list', 'what was archived, when, and how much']]);
  const show = archive
    .command('show <file>')
    .description('The executions of an archive')
    .option('--execution <id>', 'one of them, with its whole history')
    .option('--json', 'print JSON, one line an execution')
    .action(async (file: string, { execution, json = false }: { readonly execution?: string; readonly json?: boolean }) => {
      const out = printer(json);
      let found = false;
      for await (const line of readArchive(file)) {
        if (line.type !== 'execution' || (execution !== undefined && line.executionId !== execution)) continue;
        found = true;
        const { executionId, status, definition, startedAt, request, members } = line;
        out.data(execution === undefined ? { ...line, members: members.length, proofs: line.proofs.length } : line, () =>
          [
            [executionId, status, definition, startedAt, request.id].join('  '),
            ...(execution === undefined ? [] : members.map(({ sequence, structure, payload }) => `${sequence}  ${structure}  ${payload ?? colors.dim('erased')}`)),
          ].join('\n'),
        );
      }
      if (execution !== undefined && !found) {
        out.progress(`${execution} is not in ${file}`);
        process.exitCode = EXIT.failed;
      }
    });
  withExamples(show, [
    ['./weft archive show .weft/archive/weft-20260101T000000Z-0001.jsonl.gz', 'a line an execution'],
    ['./weft archive show FILE --execution 0198c0de-... --json', 'one with its history and proofs'],
  ]);
  const verify = archive
    .command('verify <file>')
    .description('Verify every decision of an archive, from the file alone')
    .option('--key <key>', "the log's public key as you keep it; default the one that the archive names")
    .option('--json', 'print JSON')
    .action(async (file: string, { key, json = false }: { readonly key?: string; readonly json?: boolean }) => {
      const out = printer(json);
      const verdict = await verifyArchive(file, key);
      out.data(verdict, () => verdictText(verdict));
      if (key === undefined) out.progress(`checked with the key that the archive names: ${verdict.verifierKey || 'none'}. Give yours with --key.`);
      if (!verdict.verified) process.exitCode = EXIT.failed;
    });
  withExamples(verify, [
    ['./weft archive verify FILE --key "$(cat log.pub)"', 'with a key of your own keeping'],
    ['./weft archive verify FILE --json', 'for a script'],
  ]);
}

/** What the program printed: its log went elsewhere. */
const reportIn = (text: string): Report => JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Report;

const rowOf = ({ file, before, executions, decisions, tenants }: ArchiveSummary): readonly string[] => [
  file,
  `${executions} executions`,
  `${decisions} decisions`,
  `before ${before}`,
  colors.dim(tenants.join(' ')),
];

function reportText({ before, dryRun, executions, files, left, leftCount, dropped, notDropped }: Report): string {
  if (dryRun) return `${executions} executions that ended before ${before} would be archived`;
  return [
    `${colors.bold(String(executions))} executions that ended before ${before} archived`,
    ...files.map((file) => `  ${file}`),
    ...(dropped.length > 0 ? [`months dropped whole: ${dropped.join(', ')}`] : []),
    ...(notDropped.length > 0 ? [colors.yellow(`months left for the next run: ${notDropped.join(', ')}`)] : []),
    ...left.map(({ executionId, reason }) => `${colors.red('left')} ${executionId}: ${reason}`),
    ...(leftCount > left.length ? [`and ${leftCount - left.length} more`] : []),
  ].join('\n');
}

const verdictText = ({ verified, executions, decisions, unproved }: ArchiveVerdict): string =>
  [
    ...unproved.map(({ executionId, reason }) => `${colors.red('not proved')} ${executionId}: ${reason}`),
    verified ? `${colors.green('verified')}: ${executions} executions, ${decisions} decisions` : colors.red('not verified'),
  ].join('\n');
