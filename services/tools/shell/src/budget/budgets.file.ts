// The operator's budgets file. All faults are reported together.
import { readFileSync } from 'node:fs';
import { BUDGET_PERIODS, BUDGET_SCOPES, budgetProblems, budgetTitle, type Budget } from '@weft/tools/core';
import { z } from 'zod';
import { FileInvalid, parsed } from '../registry/files.js';

const count = z.number().int().min(0);
const budget = z.strictObject({
  tenant: z.string().min(1),
  scope: z.enum(BUDGET_SCOPES),
  name: z.string().default(''),
  per: z.enum(BUDGET_PERIODS).default('total'),
  money: z.number().min(0).max(1e9).optional(),
  tokens: count.optional(),
  calls: count.optional(),
});
const budgetsFile = z.strictObject({ budgets: z.array(budget) });

/** Reads a budgets file: `budgets:` with a list of entries. @throws FileInvalid */
export function readBudgetsFile(path: string): readonly Budget[] {
  return parseBudgets(readFileSync(path, 'utf8'), path);
}

/** Parses the text of a budgets file; money is in the deployment's currency. @throws FileInvalid */
export function parseBudgets(text: string, path: string): readonly Budget[] {
  const { budgets: entries } = parsed(budgetsFile, text, path, 'budgets') as z.output<typeof budgetsFile>;
  const budgets = entries.map(({ tenant, scope, name, per, money, tokens, calls }): Budget => {
    const caps = { ...(money === undefined ? {} : { moneyMicros: Math.round(money * 1_000_000) }), ...(tokens === undefined ? {} : { tokens }), ...(calls === undefined ? {} : { calls }) };
    return { tenant, scope, name, per, caps };
  });
  const faults = budgets.flatMap((one, index) => {
    const isTwice = budgets.findIndex((other) => other.tenant === one.tenant && budgetTitle(other) === budgetTitle(one)) !== index;
    return [...budgetProblems(one), ...(isTwice ? ['another budget has the same tenant, scope, name and period'] : [])].map((problem) => `/budgets/${index} (${budgetTitle(one)}) ${problem}`);
  });
  if (faults.length > 0) throw new FileInvalid(path, 'budgets', faults);
  return budgets;
}
