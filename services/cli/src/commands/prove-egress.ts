import type { Command } from 'commander';
import { EGRESS_PLANTS, proveEgress, type EgressPlant } from '../prove/egress.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, type Flags } from './proof.js';

export function registerEgress(prove: Command): void {
  const command = prove
    .command('egress')
    .description('Ask Weft for every URL that should not be reached, directly, by redirect and as a model: no connection arrives')
    .option('--benign <n>', 'requests to where they may go', wholeNumber(1, 100_000), 120);
  withCommon(command, EGRESS_PLANTS, 'begins the ids of requests')
    .addHelpText('after', '\nA sink listens on every address of this machine and counts connections; a name server of its own answers as an attacker would, and changes its answers.')
    .action((flags: Flags<EgressPlant> & { readonly benign: number }) => carryOut(flags, (told) => proveEgress({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove egress', 'all ways out, half a minute'],
    ['./weft prove egress --json', 'one JSON line'],
    ['./weft prove egress --plant no-redirect-check', 'must fail: redirects are followed unjudged'],
    ['./weft prove egress --plant no-address-check', 'must fail: addresses are not judged when a connection is made'],
  ]);
}
