// Which budgets there are: those of the operator's file, and those that people have set.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import { uuidv7, type Instant } from '@weft/kernel';
import { CommitUnknown } from '@weft/pipeline';
import { memberDigest, payloadDigest } from '@weft/proof';
import { chargesOf, counterOf, type Budget, type BudgetPeriod, type BudgetScope, type Charge, type Spending } from '@weft/tools/core';
import { randomBytes } from 'node:crypto';

/** A budget and where it comes from. */
export interface KnownBudget extends Budget {
  /** `file`: of the operator, and changed there alone. */
  readonly source: 'file' | 'set';
}

/** A change that a person asked for. */
export interface BudgetChange {
  readonly budget: Budget;
  readonly isRemoved: boolean;
  /** Who: the actor of the context. */
  readonly by: string;
}

interface BudgetRow {
  readonly tenant: string;
  readonly scope: BudgetScope;
  readonly name: string;
  readonly per: BudgetPeriod;
  readonly money_micros: number | null;
  readonly tokens: number | null;
  readonly calls: number | null;
}

const EPOCH_SQL = `select epoch::float8 as epoch from tools.budget_epoch`;
const LIST_SQL = `select tenant, scope, name, per, money_micros::float8 as money_micros, tokens::float8 as tokens, calls::float8 as calls from tools.budgets where not is_removed`;
const VERSION_SQL = `select version from tools.budgets where tenant = $1 and scope = $2 and name = $3 and per = $4`;
// The version before is the compare-and-set; who loses reads it again.
const CHANGE_SQL = `
with won as (
  insert into tools.budgets as b (tenant, scope, name, per, money_micros, tokens, calls, version, is_removed, structure, commit_id, changed_at)
  values ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $1, $2)
  on conflict (tenant, scope, name, per) do update set money_micros = excluded.money_micros, tokens = excluded.tokens, calls = excluded.calls,
    version = excluded.version, is_removed = excluded.is_removed, structure = excluded.structure, commit_id = excluded.commit_id, changed_at = excluded.changed_at
    where b.version = excluded.version - 1
  returning b.version
), risen as (
  update tools.budget_epoch set epoch = epoch + 1 where exists (select 1 from won)
), committed as (
  insert into tools.commits (id, members, digests, tenants, published, recorded_at)
  select $1, json_build_array(json_build_array($13::text, $10::int))::text, $14, array[$3::text], true, $2 from won
)
select version from won`;

const NO_CHARGES: readonly Charge[] = [];

export class BudgetDirectory {
  #set: readonly Budget[] = [];
  #epoch = -1;
  #byTenant = new Map<string, readonly Budget[]>();

  /** @param declared those of the operator's file. @param pool of the engine role. */
  constructor(
    private readonly declared: readonly Budget[],
    private readonly pool: Pool,
  ) {}

  /** What a job draws on; quick when its tenant has no budgets. */
  chargesOf(spending: Spending, now: Instant): readonly Charge[] {
    const budgets = this.#of(spending.tenant);
    return budgets.length === 0 && !spending.executionCaps ? NO_CHARGES : chargesOf(budgets, spending, now);
  }

  /** Whether no job of the tenant draws on a budget, unless its execution was given one. */
  isEmptyFor(tenant: string): boolean {
    return this.#of(tenant).length === 0;
  }

  /** All budgets of a tenant, by scope, name and period. */
  budgetsOf(tenant: string): readonly KnownBudget[] {
    const known = [...this.declared.map((budget) => ({ ...budget, source: 'file' as const })), ...this.#set.map((budget) => ({ ...budget, source: 'set' as const }))];
    return known.filter((budget) => budget.tenant === tenant || budget.tenant === '*').sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
  }

  /** Reads what people have set, if it changed. @throws Fault */
  async refresh(): Promise<void> {
    const [row] = await execute<{ epoch: number }>(this.pool, { name: 'tools-budget-epoch-1', text: EPOCH_SQL, values: [] });
    if (row === undefined || row.epoch === this.#epoch) return;
    const rows = await execute<BudgetRow>(this.pool, { name: 'tools-budgets-1', text: LIST_SQL, values: [] });
    this.#set = rows.map(budgetOf);
    this.#byTenant = new Map();
    this.#epoch = row.epoch;
  }

  /** Records a change, durable and in the log, and knows it at once. @throws Fault */
  async change({ budget, isRemoved, by }: BudgetChange, now: Instant): Promise<void> {
    const { tenant, scope, name, per, caps } = budget;
    const subject = `budget/${tenant}/${counterOf(scope, per, name)}`;
    for (;;) {
      const [known] = await execute<{ version: number }>(this.pool, { name: 'tools-budget-version-1', text: VERSION_SQL, values: [tenant, scope, name, per] });
      const version = (known?.version ?? -1) + 1;
      const commitId = uuidv7(now, randomBytes(10));
      const structure = JSON.stringify({ tenant, scope, name, per, caps, isRemoved, by });
      const digest = memberDigest({ subject, sequence: version, tenant, at: now, structure, payloadDigest: payloadDigest(new Uint8Array(), '') });
      const [money, tokens, calls] = [caps.moneyMicros ?? null, caps.tokens ?? null, caps.calls ?? null];
      const values = [commitId, new Date(now), tenant, scope, name, per, money, tokens, calls, version, isRemoved, structure, subject, digest];
      const won = await commitStatement(this.pool, commitId, { name: 'tools-change-budget-1', text: CHANGE_SQL, values }).catch((fault: unknown) => {
        // It may have committed: the version that is read next tells, and setting the same again is the same.
        if (fault instanceof CommitUnknown) return [];
        throw fault;
      });
      if (won.length > 0) break;
    }
    await this.refresh();
  }

  #of(tenant: string): readonly Budget[] {
    const known = this.#byTenant.get(tenant);
    if (known) return known;
    const found = [...this.declared, ...this.#set].filter((budget) => budget.tenant === tenant || budget.tenant === '*');
    this.#byTenant.set(tenant, found);
    return found;
  }
}

function budgetOf({ tenant, scope, name, per, money_micros: money, tokens, calls }: BudgetRow): Budget {
  return { tenant, scope, name, per, caps: { ...(money === null ? {} : { moneyMicros: money }), ...(tokens === null ? {} : { tokens }), ...(calls === null ? {} : { calls }) } };
}

/** A place in the list of a tenant's budgets. */
export const sortKey = ({ scope, name, per, tenant }: Budget): string => [scope, name, per, tenant].join('\u0000');
