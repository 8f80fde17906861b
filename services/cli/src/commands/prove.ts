// `weft prove`: claims as commands that anybody can run on their own machine.
import type { Command } from 'commander';
import type { Profile } from '../processes/profile.js';
import { proveFailpoints } from '../prove/failpoint-sweep.js';
import { proveKills } from '../prove/kills.js';
import { PLANTS, type Plant } from '../prove/plants.js';
import { proveTakeover, TAKEOVER_PLANTS, type TakeoverPlant } from '../prove/takeover.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, withProfile, type Flags } from './proof.js';
import { registerAgents } from './prove-agents.js';
import { registerProveEffects } from './prove-effects.js';
import { registerProveBudgets } from './prove-budgets.js';
import { registerEgress } from './prove-egress.js';
import { registerPermissions } from './prove-permissions.js';
import { registerStreams } from './prove-streams.js';

export function registerProve(program: Command): void {
  const prove = program.command('prove').description('Prove a promise on this machine; exits with 1 when it is broken');
  registerKills(prove);
  registerFailpoints(prove);
  registerTakeover(prove);
  registerEgress(prove);
  registerProveBudgets(prove);
  registerProveEffects(prove);
  registerAgents(prove);
  registerPermissions(prove);
  registerStreams(prove);
}

function registerKills(prove: Command): void {
  const command = prove
    .command('kills')
    .description('kill -9 of Weft processes while executions run: nothing lost, no effect twice')
    .option('--executions <n>', 'executions to run', wholeNumber(1, 1_000_000), 200)
    .option('--kills <n>', 'processes to kill', wholeNumber(0, 100_000), 10);
  withCommon(withProfile(command), PLANTS, 'the moments and targets follow from it')
    .addHelpText('after', '\nThe effects go to a counting server: a process of its own that shares no code with Weft.')
    .action((flags: Flags<Plant> & { readonly executions: number; readonly kills: number; readonly profile: Profile }) => carryOut(flags, (told) => proveKills({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove kills --executions 200', 'ten kills of the one process, about a minute'],
    ['./weft prove kills --executions 50 --profile mesh --json', 'any process of the mesh; one JSON line'],
    ['./weft prove kills --executions 40 --plant no-key', 'must fail: the receiver is not told the idempotency keys'],
  ]);
}

function registerFailpoints(prove: Command): void {
  const command = prove
    .command('failpoints')
    .description('Let Weft die at every failpoint, before and after its operation, while executions run: nothing lost, no effect twice')
    .option('--only <text>', 'failpoints whose name begins so, such as tools. or orchestration.commit', '');
  withCommon(withProfile(command), PLANTS, 'how often a place is passed before it kills follows from it')
    .addHelpText('after', '\nA failpoint that is never reached counts against the proof.')
    .action((flags: Flags<Plant> & { readonly only: string; readonly profile: Profile }) => carryOut(flags, (told) => proveFailpoints({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove failpoints', 'all that the one process has'],
    ['./weft prove failpoints --profile mesh --json', 'all of the mesh; one JSON line'],
    ['./weft prove failpoints --only tools.', 'those of one service'],
    ['./weft prove failpoints --only audit. --plant unlogged', 'must fail: a leaf of the log is missing'],
  ]);
}

function registerTakeover(prove: Command): void {
  const command = prove
    .command('takeover')
    .description('Three replicas of orchestration under load: one after the other is killed, paused or cut off; then all restart: nothing lost, nothing twice, no long stall')
    .option('--rounds <n>', 'times that a replica is struck: kill, pause and cut in turn', wholeNumber(0, 10_000), 20)
    .option('--rate <n>', 'requests a second', wholeNumber(1, 1_000), 20);
  withCommon(command, TAKEOVER_PLANTS, 'which replica is struck follows from it')
    .addHelpText(
      'after',
      '\nA pause lasts longer than every lease and session; a cut holds back all bytes between one replica and PostgreSQL, Kafka or both. While one is gone, some result is seen\nat least every 12 s (3 s after a kill), and no request takes longer than 30 s. It starts a Kafka, a PostgreSQL and a mesh of its own: about 13 s a round and a minute more.',
    )
    .action((flags: Flags<TakeoverPlant> & { readonly rounds: number; readonly rate: number }) => carryOut(flags, (told) => proveTakeover({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove takeover', 'twenty rounds, about six minutes'],
    ['./weft prove takeover --rounds 3 --json', 'one kill, one pause, one cut; one JSON line'],
    ['./weft prove takeover --rounds 3 --plant all-replicas', 'must fail: nobody is left to take over'],
    ['./weft prove takeover --rounds 1 --plant no-takeover', 'must fail: nobody misses the one that is gone'],
  ]);
}
