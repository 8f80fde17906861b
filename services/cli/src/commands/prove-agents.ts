import type { Command } from 'commander';
import type { Profile } from '../processes/profile.js';
import { AGENT_PLANTS, proveAgents, type AgentPlant } from '../prove/agents.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, withProfile, type Flags } from './proof.js';

interface AgentFlags extends Flags<AgentPlant> {
  readonly turns: number;
  readonly beside: number;
  readonly benign: number;
  readonly profile: Profile;
}

export function registerAgents(prove: Command): void {
  const command = prove
    .command('agents')
    .description('kill -9 at every turn of an agent, beside agents that call in parallel, ask others, or have to be stopped: each call had its effect once, none beyond a limit')
    .option('--turns <n>', 'turns of the agent that is killed at each of them', wholeNumber(1, 90), 10)
    .option('--beside <n>', 'agents of each kind that run meanwhile', wholeNumber(0, 100), 2)
    .option('--benign <n>', 'agents that nothing happens to', wholeNumber(0, 10_000), 100);
  withCommon(withProfile(command), AGENT_PLANTS, 'the moments of the kills follow from it')
    .addHelpText('after', '\nThe model is scripted; the effects go to a counting server: a process of its own that shares no code with Weft.')
    .action((flags: AgentFlags) => carryOut(flags, (told) => proveAgents({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove agents', 'ten kills of the one process, about a minute'],
    ['./weft prove agents --profile mesh --json', 'of tools or orchestration in the mesh; one JSON line'],
    ['./weft prove agents --turns 3 --plant other-keys', 'must fail: a call that is made again has another key'],
    ['./weft prove agents --turns 1 --plant no-limits', 'must fail: nothing stops an agent'],
  ]);
}
