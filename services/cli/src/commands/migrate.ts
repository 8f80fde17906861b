// Takes executions over to another version of their definition.
import { readSource } from '@weft/workflow';
import { isJsonObject } from '@weft/kernel';
import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { upgrade } from '../client/upgrades.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer } from '../output/print.js';
import { upgradeText } from '../output/upgrade-text.js';
import { readInput, withExamples } from './command.js';

interface MigrateOptions {
  readonly from?: string;
  readonly to: string;
  readonly map?: string;
  readonly execution?: string;
  readonly reason?: string;
  readonly id?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function registerMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description('Take executions that go on over to another deployed version of their definition. Say --dry-run first: it only tells')
    .argument('<workflow>', 'namespace/name')
    .requiredOption('--to <version>', 'the version to take them over to')
    .option('--from <version>', 'only executions of this version; default: of every other one')
    .option('--map <file>', 'YAML or JSON: pointers of tasks in their version, with where they are in the other; `./weft deploy check` proposes it')
    .option('--execution <id>', 'only this one, also when it faulted: retry it then')
    .option('--reason <text>', 'why; it is recorded with each of them')
    .option('--id <id>', 'name of the migration: the same id again does nothing twice; default: a new one, which is told')
    .option('--dry-run', 'only tell which could not go on')
    .option('--json', 'print JSON')
    .action(async (workflow: string, options: MigrateOptions) => migrate(workflow, options));
  withExamples(command, [
    ['./weft migrate demo/refund --to 2.0.0 --dry-run', 'who could not go on'],
    ['./weft migrate demo/refund --from 1.0.0 --to 2.0.0 --map map.yaml', 'takes them over; what could not go on stays under its own version'],
    ['./weft migrate demo/refund --to 2.0.0 --execution 0190... --json', 'one alone'],
  ]);
}

async function migrate(workflow: string, { map, json = false, ...wish }: MigrateOptions): Promise<void> {
  const out = printer(json);
  const asked = { workflow, ...wish, ...(map === undefined ? {} : { map: readMap(map) }) };
  const page = await upgrade(new GatewayClient(connection()), asked, ({ id, matched, migrated, nextCursor }) => {
    if (nextCursor !== '') out.progress(`${matched} executions, ${migrated} migrated (id ${id})`);
  });
  out.data(page, () => (wish.dryRun ? upgradeText(page) : `${colors.bold(String(page.migrated))} migrated, id ${page.id}\n${upgradeText(page)}`));
  if (page.broken.length > 0) process.exitCode = EXIT.failed;
}

/** @throws CommandFailed usage. */
function readMap(file: string): Readonly<Record<string, string>> {
  const reading = readSource(readInput(file, 'a pointer map'));
  const value = reading.ok ? reading.source.value : null;
  if (!isJsonObject(value) || !Object.values(value).every((target) => typeof target === 'string'))
    throw new CommandFailed(`Expected JSON Pointers by JSON Pointer in ${file} but it is something else.`, EXIT.usage);
  return value as Readonly<Record<string, string>>;
}
