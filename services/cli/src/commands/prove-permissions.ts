import type { Command } from 'commander';
import { PERMISSION_PLANTS, provePermissions, type PermissionPlant } from '../prove/permissions.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, type Flags } from './proof.js';

export function registerPermissions(prove: Command): void {
  const command = prove
    .command('permissions')
    .description('Let a hostile model call any tool with any arguments, replay approvals and obey injected text: no effect that nothing permits, and a kill switch counts within two seconds')
    .option('--attacks <n>', 'attacks, every kind in turn; published injections that lie beside the checkout come on top', wholeNumber(1, 1_000_000), 1_000)
    .option('--benign <n>', 'executions beside them that may do what they do', wholeNumber(1, 1_000_000), 120);
  withCommon(command, PERMISSION_PLANTS, 'names, arguments and order follow from it')
    .addHelpText('after', '\nThe effects go to a counting server, a process of its own; who judges has its own table of what is permitted and shares no code with Weft.')
    .action((flags: Flags<PermissionPlant> & { readonly attacks: number; readonly benign: number }) => carryOut(flags, (told) => provePermissions({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove permissions', 'every kind of attack, half a minute'],
    ['./weft prove permissions --attacks 5000 --benign 400 --json', 'more of them; one JSON line'],
    ['./weft prove permissions --plant default-allow', 'must fail: what nothing permits is done'],
    ['./weft prove permissions --plant no-switches', 'must fail: what was killed goes on'],
  ]);
}
