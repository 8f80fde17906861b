// Which budgets a job draws on.
import type { Instant } from '@weft/kernel';
import { RESOURCES, stricter, type Amount, type Budget, type BudgetPeriod, type BudgetScope, type Caps } from './budget.js';
import { periodEnd, periodStart } from './budget-period.js';

/** What a job is about to spend, and as whom. */
export interface Spending {
  readonly tenant: string;
  readonly executionId: string;
  /** "namespace/name:version". */
  readonly workflow: string;
  /** Empty: the workflow itself acts. */
  readonly agent: string;
  /** Empty for model calls. */
  readonly tool: string;
  /** Id in the catalogue; empty for tools. */
  readonly model: string;
  /** At most so much. */
  readonly estimate: Amount;
  /** What the execution may spend in all, if it was given a budget when it began. */
  readonly executionCaps?: Caps;
}

/** One counter that a job draws on. */
export interface Charge {
  readonly tenant: string;
  /** Names the counter among those of the tenant. */
  readonly counter: string;
  /** Start of the period; 0 without one. */
  readonly start: Instant;
  readonly caps: Caps;
  /** For people: whose budget it is. */
  readonly budget: { readonly scope: BudgetScope; readonly name: string; readonly per: BudgetPeriod };
  /** When it begins anew. */
  readonly end?: Instant;
}

/** The name of the counter of a budget, or of one execution. */
export function counterOf(scope: BudgetScope, per: BudgetPeriod, name: string): string {
  return `${scope}/${per}/${name}`;
}

/** What a spending draws on: every budget that limits something of its estimate. Empty for most jobs. */
export function chargesOf(budgets: readonly Budget[], spending: Spending, now: Instant): readonly Charge[] {
  const own = spending.executionCaps ? [executionCharge(spending, '', spending.executionCaps)] : [];
  const declared = budgets
    .filter((budget) => applies(budget, spending))
    .map((budget) => (budget.scope === 'execution' ? executionCharge(spending, budget.name, budget.caps) : chargeOf(budget, spending, now)));
  const byCounter = new Map<string, Charge>();
  for (const charge of [...declared, ...own]) {
    const other = byCounter.get(charge.counter);
    byCounter.set(charge.counter, other ? { ...other, caps: stricter(other.caps, charge.caps) } : charge);
  }
  return [...byCounter.values()].filter(({ caps }) => RESOURCES.some((resource) => caps[resource] !== undefined && spending.estimate[resource] > 0));
}

function applies({ tenant, scope, name }: Budget, spending: Spending): boolean {
  if (tenant !== '*' && tenant !== spending.tenant) return false;
  switch (scope) {
    case 'tenant':
      return true;
    case 'execution':
      return matches(name, spending.workflow);
    case 'agent':
    case 'tool':
    case 'model':
      return name === spending[scope];
  }
}

function chargeOf({ scope, name, per, caps }: Budget, { tenant }: Spending, now: Instant): Charge {
  const end = periodEnd(per, now);
  return { tenant, counter: counterOf(scope, per, name), start: periodStart(per, now), caps, budget: { scope, name, per }, ...(end === undefined ? {} : { end }) };
}

function executionCharge({ tenant, executionId }: Spending, name: string, caps: Caps): Charge {
  return { tenant, counter: counterOf('execution', 'total', executionId), start: 0, caps, budget: { scope: 'execution', name, per: 'total' } };
}

/** Whether `namespace/name`, where `*` stands for any text, names a workflow of any version. */
function matches(pattern: string, workflow: string): boolean {
  const colon = workflow.lastIndexOf(':');
  const name = colon < 0 ? workflow : workflow.slice(0, colon);
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === name;
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let from = first.length;
  const until = name.length - last.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > until) return false;
    from = at + part.length;
  }
  return true;
}
