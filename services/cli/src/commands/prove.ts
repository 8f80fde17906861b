// `weft prove`: claims as commands that anybody can run on their own machine.
import { Command, Option } from 'commander';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer, table } from '../output/print.js';
import { proveFailpoints } from '../prove/failpoint-sweep.js';
import { proveKills } from '../prove/kills.js';
import { PLANTS, type Plant } from '../prove/plants.js';
import type { Profile } from '../prove/subject.js';
import { proveTakeover, TAKEOVER_PLANTS, type TakeoverPlant } from '../prove/takeover.js';

interface KillsFlags {
  readonly executions: string;
  readonly kills: string;
  readonly profile: Profile;
  readonly seed: string;
  readonly plant: Plant;
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
    .addOption(new Option('--plant <fault>', 'plant a fault that the proof must notice').choices(PLANTS).default('none'))
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nThe effects go to a counting server: a process of its own that shares no code with Weft.\n\nExamples:\n  ./weft prove kills --executions 200\n  ./weft prove kills --executions 50 --profile mesh --json\n  ./weft prove kills --executions 40 --plant no-key   # must fail',
    )
    .action(async (flags: KillsFlags) => runKills(flags));
  prove
    .command('failpoints')
    .description('let Weft die at every failpoint, before and after its operation, while executions run: nothing lost, no effect twice')
    .addOption(new Option('--profile <profile>', 'what to let die').choices(['standalone', 'mesh']).default('standalone'))
    .option('--only <text>', 'failpoints whose name begins so, such as tools. or orchestration.commit', '')
    .option('--seed <n>', 'how often a place is passed before it kills follows from it', '1')
    .addOption(new Option('--plant <fault>', 'plant a fault that the proof must notice').choices(PLANTS).default('none'))
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nA failpoint that is never reached counts against the proof.\n\nExamples:\n  ./weft prove failpoints\n  ./weft prove failpoints --profile mesh --json\n  ./weft prove failpoints --only tools.\n  ./weft prove failpoints --only audit. --plant unlogged   # must fail',
    )
    .action(async (flags: FailpointsFlags) => runFailpoints(flags));
  prove
    .command('takeover')
    .description('three replicas of orchestration under load: one after the other is killed, paused or cut off; then all restart: nothing lost, nothing twice, no long stall')
    .option('--rounds <n>', 'times that a replica is struck: kill, pause and cut in turn', '20')
    .option('--rate <n>', 'requests a second', '20')
    .option('--seed <n>', 'which replica is struck follows from it', '1')
    .addOption(new Option('--plant <fault>', 'plant a fault that the proof must notice').choices(TAKEOVER_PLANTS).default('none'))
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nA pause lasts longer than every lease and session; a cut holds back all bytes between one replica and PostgreSQL, Kafka or both. While one is gone, some result is seen\nat least every 12 s (3 s after a kill), and no request takes longer than 30 s. It starts a Kafka, a PostgreSQL and a mesh of its own: about 13 s a round and a minute more.\n\nExamples:\n  ./weft prove takeover\n  ./weft prove takeover --rounds 3 --json\n  ./weft prove takeover --rounds 3 --plant all-replicas   # must fail\n  ./weft prove takeover --rounds 1 --plant no-takeover    # must fail',
    )
    .action(async (flags: TakeoverFlags) => runTakeover(flags));
}

interface TakeoverFlags {
  readonly rounds: string;
  readonly rate: string;
  readonly seed: string;
  readonly plant: TakeoverPlant;
  readonly json?: boolean;
}

async function runTakeover({ rounds, rate, seed, plant, json }: TakeoverFlags): Promise<void> {
  const out = printer(json === true);
  show(out, await proveTakeover({ rounds: whole(rounds, '--rounds', 0), rate: whole(rate, '--rate', 1), seed: whole(seed, '--seed', 0), plant, onProgress: out.progress }));
}

interface FailpointsFlags {
  readonly profile: Profile;
  readonly only: string;
  readonly seed: string;
  readonly plant: Plant;
  readonly json?: boolean;
}

async function runFailpoints({ profile, only, seed, plant, json }: FailpointsFlags): Promise<void> {
  const out = printer(json === true);
  const proof = await proveFailpoints({ profile, only, seed: whole(seed, '--seed', 0), plant, onProgress: out.progress });
  show(out, proof);
}

function show(out: ReturnType<typeof printer>, { report, clean }: { readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }): void {
  out.data(report, () =>
    table(Object.entries(report).map(([name, value]) => [name, Array.isArray(value) ? value.join('\n') || 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value)])),
  );
  if (!clean) throw new CommandFailed('The promise is broken: the counts above say how.');
}

async function runKills(flags: KillsFlags): Promise<void> {
  const out = printer(flags.json === true);
  const proof = await proveKills({
    executions: whole(flags.executions, '--executions', 1),
    kills: whole(flags.kills, '--kills', 0),
    seed: whole(flags.seed, '--seed', 0),
    profile: flags.profile,
    plant: flags.plant,
    onProgress: out.progress,
  });
  show(out, proof);
}

function whole(text: string, option: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new CommandFailed(`Expected ${option} to be a whole number from ${least} but got ${JSON.stringify(text)}.`, EXIT.usage);
  return value;
}
