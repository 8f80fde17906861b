// What may be spent, by whom: the words of budgets.

/** An amount of everything that is counted. Whole numbers from 0. */
export interface Amount {
  /** Millionths of the deployment's currency. */
  readonly moneyMicros: number;
  readonly tokens: number;
  /** Jobs carried out: one for each idempotency key of a write, one for each carrying-out of a read or a model call. */
  readonly calls: number;
}

export const RESOURCES = ['moneyMicros', 'tokens', 'calls'] as const satisfies readonly (keyof Amount)[];
export type Resource = (typeof RESOURCES)[number];

/** Limits of a budget; what is missing is unlimited, 0 is nothing. */
export type Caps = { readonly [R in Resource]?: number };

/** Whose spending is counted together. */
export const BUDGET_SCOPES = ['tenant', 'execution', 'agent', 'tool', 'model'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** How long a budget lasts: for ever, or a calendar day or month in UTC. */
export const BUDGET_PERIODS = ['total', 'day', 'month'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** A budget as an operator declares it. Tenant, scope, name and period name it. */
export interface Budget {
  /** Whose; `*` is each tenant by itself. */
  readonly tenant: string;
  readonly scope: BudgetScope;
  /** Name of the agent, tool or model; of an execution its workflow, `namespace/name` where `*` stands for any text, and each execution counts by itself; of a tenant empty. */
  readonly name: string;
  readonly per: BudgetPeriod;
  readonly caps: Caps;
}

export const NOTHING: Amount = { moneyMicros: 0, tokens: 0, calls: 0 };
export const ONE_CALL: Amount = { moneyMicros: 0, tokens: 0, calls: 1 };

export function sumOf(left: Amount, right: Amount): Amount {
  return { moneyMicros: left.moneyMicros + right.moneyMicros, tokens: left.tokens + right.tokens, calls: left.calls + right.calls };
}

/** The stricter of two caps, resource by resource. */
export function stricter(left: Caps, right: Caps): Caps {
  const entries = RESOURCES.flatMap((resource) => {
    const caps = [left[resource], right[resource]].filter((cap) => cap !== undefined);
    return caps.length === 0 ? [] : [[resource, Math.min(...caps)] as const];
  });
  return Object.fromEntries(entries);
}

/** A budget that travels with a job, as limits. */
export const capsOf = ({ moneyMicros, tokens, calls }: Amount): Caps => ({ moneyMicros, tokens, calls });

/** What is wrong with a budget, each fault as a sentence part behind its field. */
export function budgetProblems({ scope, name, per, caps }: Budget): readonly string[] {
  const limits = RESOURCES.map((resource) => caps[resource]).filter((cap) => cap !== undefined);
  return [
    ...(limits.length === 0 ? ['caps: expected one of money, tokens and calls but there is none'] : []),
    ...(limits.every((cap) => Number.isSafeInteger(cap) && cap >= 0) ? [] : ['caps: expected numbers from 0 that are exact in millionths']),
    ...(scope === 'tenant' && name !== '' ? ['name: expected none for a tenant, whose budget counts everything it does'] : []),
    ...(scope !== 'tenant' && name === '' ? [`name: expected the name of ${scope === 'execution' ? 'a workflow (namespace/name)' : `a ${scope}`} but it is empty`] : []),
    ...(scope === 'execution' && per !== 'total' ? ['per: expected total, because an execution is counted once for all its time'] : []),
    ...(name.length > 300 || /[\u0000-\u001f\u007f]/.test(name) ? ['name: expected at most 300 characters, none of them a control character'] : []),
  ];
}

/** Names a budget among those of its tenant; also in messages. */
export function budgetTitle({ scope, name, per }: Pick<Budget, 'scope' | 'name' | 'per'>): string {
  return `${scope}${name === '' ? '' : ` ${name}`}${per === 'total' ? '' : ` per ${per}`}`;
}
