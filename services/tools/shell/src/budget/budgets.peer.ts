// Budgets as people see and set them.
import { inTenant, type Pool } from '@weft/adapter-postgres';
import type { Budget as WireAmount, BudgetName, BudgetPage, BudgetsPeer, BudgetState, Context } from '@weft/contracts';
import { isUuid, refuse, type Instant } from '@weft/kernel';
import {
  BUDGET_PERIODS,
  BUDGET_SCOPES,
  budgetProblems,
  budgetTitle,
  counterOf,
  EMPTY_TALLY,
  periodEnd,
  periodStart,
  type Amount,
  type Budget,
  type BudgetPeriod,
  type BudgetScope,
  type Caps,
  type Tally,
} from '@weft/tools/core';
import { sortKey, type BudgetDirectory, type KnownBudget } from './budget.directory.js';
import { tallyOf, type CounterRow } from './counter-row.js';

interface ShownRow extends CounterRow {
  readonly counter: string;
  readonly start_ms: number;
}

const FIELDS = ['spent_money', 'spent_tokens', 'spent_calls', 'reserved_money', 'reserved_tokens', 'reserved_calls'];
const COUNTERS_SQL = `
  select counter, (extract(epoch from start_at) * 1000)::float8 as start_ms, ${FIELDS.map((field) => `${field}::float8 as ${field}`).join(', ')}
  from tools.budget_counters where (counter, start_at) in (select * from unnest($1::text[], $2::timestamptz[]))`;

export interface BudgetsPeerPorts {
  readonly directory: BudgetDirectory;
  /** Of the tenant role: what a caller is shown, row-level security bounds. */
  readonly tenantPool: Pool;
  /** Time of the store. */
  readonly now: () => Instant;
}

/** Refusals: `request-invalid`, `conflict` for what the operator's file declares, `not-found`. */
export function budgetsPeer({ directory, tenantPool, now }: BudgetsPeerPorts): BudgetsPeer {
  const tallies = async (tenant: string, asked: readonly (readonly [counter: string, start: Instant])[]): Promise<ReadonlyMap<string, Tally>> => {
    const values = [asked.map(([counter]) => counter), asked.map(([, start]) => new Date(start))];
    const rows = await inTenant(tenantPool, tenant, (query) => query<ShownRow>(COUNTERS_SQL, values), { readOnly: true });
    return new Map(rows.map((row) => [`${row.counter} ${row.start_ms}`, tallyOf(row)]));
  };
  const states = async (tenant: string, budgets: readonly KnownBudget[]): Promise<BudgetState[]> => {
    const at = now();
    const counted = await tallies(
      tenant,
      budgets.map(({ scope, per, name }) => [counterOf(scope, per, name), periodStart(per, at)]),
    );
    return budgets.map((budget) => stateOf(budget, at, counted.get(`${counterOf(budget.scope, budget.per, budget.name)} ${periodStart(budget.per, at)}`)));
  };
  const known = (tenant: string, asked: ReturnType<typeof readName>): KnownBudget | undefined => {
    const found = directory.budgetsOf(tenant).filter((budget) => budgetTitle(budget) === budgetTitle(asked));
    if (found.some(({ source }) => source === 'file')) refuse('conflict', `Expected a budget that people set but the operator's budgets file declares ${budgetTitle(asked)}: change it there.`);
    return found[0];
  };
  const change = (budget: Budget, isRemoved: boolean, { actor }: Context): Promise<void> => directory.change({ budget, isRemoved, by: actor }, now());
  return {
    async listBudgets({ limit, cursor, executionId }, { tenant }): Promise<BudgetPage> {
      if (executionId !== '' && !isUuid(executionId)) refuse('request-invalid', 'Expected the id of an execution but it is no UUID.');
      const after = cursor === '' ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const rest = directory.budgetsOf(tenant).filter((budget) => sortKey(budget) > after);
      const page = rest.slice(0, Math.min(Math.max(1, limit || 50), 200));
      const own = executionId !== '' && cursor === '' ? [await ofExecution(executionId, await tallies(tenant, [[counterOf('execution', 'total', executionId), 0]]))] : [];
      return { budgets: [...own, ...(await states(tenant, page))], nextCursor: rest.length > page.length ? Buffer.from(sortKey(page.at(-1)!)).toString('base64url') : '' };
    },

    async setBudget({ name, moneyMicros, tokens, calls }, context): Promise<BudgetState> {
      const asked = readName(name);
      const caps: Caps = { ...(moneyMicros === undefined ? {} : { moneyMicros }), ...(tokens === undefined ? {} : { tokens }), ...(calls === undefined ? {} : { calls }) };
      const budget: Budget = { tenant: context.tenant, ...asked, caps };
      const [problem] = budgetProblems(budget);
      if (problem !== undefined) refuse('request-invalid', `Expected a budget that can hold but its ${problem}.`);
      known(context.tenant, asked);
      await change(budget, false, context);
      return (await states(context.tenant, [{ ...budget, source: 'set' }]))[0]!;
    },

    async removeBudget(name, context): Promise<BudgetState> {
      const asked = readName(name);
      const budget = known(context.tenant, asked);
      if (!budget) return refuse('not-found', `Expected a budget of this tenant but there is none of ${budgetTitle(asked)}.`);
      await change(budget, true, context);
      return (await states(context.tenant, [budget]))[0]!;
    },
  };
}

function readName(name: BudgetName | undefined): { readonly scope: BudgetScope; readonly name: string; readonly per: BudgetPeriod } {
  const scope = BUDGET_SCOPES.find((one) => one === name?.scope);
  const per = BUDGET_PERIODS.find((one) => one === name?.per);
  if (!scope) return refuse('request-invalid', `Expected a scope of ${BUDGET_SCOPES.join(', ')} but got ${JSON.stringify(name?.scope.slice(0, 60))}.`);
  if (!per) return refuse('request-invalid', `Expected per to be ${BUDGET_PERIODS.join(', ')} but got ${JSON.stringify(name?.per.slice(0, 60))}.`);
  return { scope, per, name: name?.name ?? '' };
}

function stateOf({ scope, name, per, caps, source }: KnownBudget, at: Instant, tally: Tally = EMPTY_TALLY): BudgetState {
  // Each execution has figures of its own.
  const figures = scope === 'execution' ? { spent: undefined, reserved: undefined } : { spent: wireAmount(tally.spent), reserved: wireAmount(tally.reserved) };
  return { name: { scope, name, per }, moneyMicros: caps.moneyMicros, tokens: caps.tokens, calls: caps.calls, source, ...figures, startMs: periodStart(per, at), endMs: periodEnd(per, at) ?? 0 };
}

function ofExecution(executionId: string, counted: ReadonlyMap<string, Tally>): BudgetState {
  const { spent, reserved } = counted.get(`${counterOf('execution', 'total', executionId)} 0`) ?? EMPTY_TALLY;
  const name = { scope: 'execution', name: executionId, per: 'total' };
  return { name, moneyMicros: undefined, tokens: undefined, calls: undefined, source: 'execution', spent: wireAmount(spent), reserved: wireAmount(reserved), startMs: 0, endMs: 0 };
}

const wireAmount = ({ moneyMicros, tokens, calls }: Amount): WireAmount => ({ moneyMicros, tokens, calls });
