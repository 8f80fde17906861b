import type { Command } from 'commander';
import type { Profile } from '../processes/profile.js';
import { BUDGET_PLANTS, DEATHS_MAX, proveBudgets, type BudgetPlant } from '../prove/budgets.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, withProfile, type Flags } from './proof.js';

export function registerProveBudgets(prove: Command): void {
  const command = prove
    .command('budgets')
    .description('Ask for more calls than a budget has room for, at once and while processes die: exactly the cap passes')
    .option('--calls <n>', 'calls of the capped tool', wholeNumber(1, 1_000_000), 1_000)
    .option('--cap <n>', 'calls that its budget lets pass', wholeNumber(0, 1_000_000), 100)
    .option('--deaths <n>', `deaths of the one process between reserve and settle, 0 to ${DEATHS_MAX}`, wholeNumber(0, DEATHS_MAX), DEATHS_MAX);
  withCommon(withProfile(command), BUDGET_PLANTS, 'begins the ids of requests')
    .addHelpText('after', '\nThe mesh has two processes of tools, and its Redis is killed in the middle. In standalone the process dies afterwards between reserve and settle.')
    .action((flags: Flags<BudgetPlant> & { readonly calls: number; readonly cap: number; readonly deaths: number; readonly profile: Profile }) =>
      carryOut(flags, (told) => proveBudgets({ ...flags, ...told })),
    );
  withExamples(command, [
    ['./weft prove budgets', '1,000 calls against a budget of 100, about half a minute'],
    ['./weft prove budgets --profile mesh --json', 'two processes of tools, and no Redis from the middle on; one JSON line'],
    ['./weft prove budgets --plant check-then-act', 'must fail: each looks what is left, and then takes it'],
    ['./weft prove budgets --plant no-lease', 'must fail: what a dead process held is never given back'],
  ]);
}
