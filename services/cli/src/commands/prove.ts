// `weft prove`: claims as commands that anybody can run on their own machine.
import { Command, Option } from 'commander';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer, table } from '../output/print.js';
import { proveKills } from '../prove/kills.js';

interface KillsFlags {
  readonly executions: string;
  readonly kills: string;
  readonly profile: 'standalone' | 'mesh';
  readonly seed: string;
  readonly plant: 'none' | 'no-key';
  readonly json?: boolean;
}

export function registerProve(program: Command): void {
  const prove = program.command('prove').description('prove a promise on this machine; exits with 1 when it is broken');
  prove
    .command('kills')
    .description('kill -9 of Weft processes while executions run: nothing lost, no effect twice')
    .option('--executions <n>', 'executions to run', '200')
    .option('--kills <n>', 'processes to kill', '10')
    .addOption(new Option('--profile <profile>', 'what to kill').choices(['standalone', 'mesh']).default('standalone'))
    .option('--seed <n>', 'the moments and targets follow from it', '1')
    .addOption(new Option('--plant <fault>', 'plant a fault that the proof must notice').choices(['none', 'no-key']).default('none'))
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nThe effects go to a counting server: a process of its own that shares no code with Weft.\n\nExamples:\n  ./weft prove kills --executions 200\n  ./weft prove kills --executions 50 --profile mesh --json\n  ./weft prove kills --executions 40 --plant no-key   # must fail',
    )
    .action(async (flags: KillsFlags) => runKills(flags));
}

async function runKills(flags: KillsFlags): Promise<void> {
  const out = printer(flags.json === true);
  const { report, clean } = await proveKills({
    executions: whole(flags.executions, '--executions', 1),
    kills: whole(flags.kills, '--kills', 0),
    seed: whole(flags.seed, '--seed', 0),
    profile: flags.profile,
    plant: flags.plant,
    onProgress: out.progress,
  });
  out.data(report, () => table(Object.entries(report).map(([name, value]) => [name, Array.isArray(value) ? value.join('\n') || 'none' : String(value)])));
  if (!clean) throw new CommandFailed('The promise is broken: the counts above say how.');
}

function whole(text: string, option: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new CommandFailed(`Expected ${option} to be a whole number from ${least} but got ${JSON.stringify(text)}.`, EXIT.usage);
  return value;
}
