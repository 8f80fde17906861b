import { Controller, Delete, Get, HttpCode, Inject, Put, Req } from '@nestjs/common';
import type { Budget, BudgetsPeer, BudgetState } from '@weft/contracts';
import { refuse, type JsonObject } from '@weft/kernel';
import { bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf, queryText } from '../http/query.js';
import { BUDGETS } from '../ports.js';

const FIELDS = ['scope', 'name', 'per', 'money', 'tokens', 'calls'];
const MICROS = 1_000_000;

@Controller('v1/budgets')
export class BudgetsController {
  constructor(@Inject(BUDGETS) private readonly budgets: BudgetsPeer) {}

  /** Budgets of the tenant with what is spent and reserved in this period; `execution` tells of one execution besides. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const { budgets, nextCursor } = await this.budgets.listBudgets({ ...pageOf(request), executionId: queryText(request, 'execution') }, request.context);
    return { budgets: budgets.map(budgetView), nextCursor };
  }

  /** Sets a budget: {scope, name?, per?, money?, tokens?, calls?}; money in the deployment's currency. */
  @Put()
  @HttpCode(200)
  async set(@Req() request: KnownRequest): Promise<object> {
    const body = bodyObject(request, 'a budget');
    onlyFields(body, FIELDS, 'a budget');
    checkStorable(body, 'a budget');
    const money = numberField(body, 'money');
    const name = { scope: textField(body, 'scope'), name: textField(body, 'name', ''), per: textField(body, 'per', 'total') };
    return budgetView(
      await this.budgets.setBudget(
        { name, moneyMicros: money === undefined ? undefined : Math.round(money * MICROS), tokens: numberField(body, 'tokens'), calls: numberField(body, 'calls') },
        request.context,
      ),
    );
  }

  /** Removes the budget of `scope`, `name` and `per`. */
  @Delete()
  async remove(@Req() request: KnownRequest): Promise<object> {
    const name = { scope: queryText(request, 'scope'), name: queryText(request, 'name'), per: queryText(request, 'per') || 'total' };
    return budgetView(await this.budgets.removeBudget(name, request.context));
  }
}

function numberField(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0)) refuse('request-invalid', `Expected field \`${name}\` to be a number from 0 but got ${JSON.stringify(value).slice(0, 60)}.`);
  return value as number;
}

function budgetView({ name, moneyMicros, tokens, calls, source, spent, reserved, startMs, endMs }: BudgetState): object {
  const caps = { money: moneyMicros === undefined ? undefined : moneyMicros / MICROS, tokens, calls };
  const used = spent && amountView(spent);
  const held = reserved && amountView(reserved);
  const left = (['money', 'tokens', 'calls'] as const).flatMap((resource) => {
    const cap = caps[resource];
    return cap === undefined || !used || !held ? [] : [[resource, Math.max(0, round(cap - used[resource] - held[resource]))] as const];
  });
  return {
    scope: name?.scope ?? '',
    name: name?.name ?? '',
    per: name?.per ?? '',
    source,
    limits: Object.fromEntries(Object.entries(caps).filter(([, cap]) => cap !== undefined)),
    ...(used && held ? { spent: used, reserved: held, left: Object.fromEntries(left) } : {}),
    ...(endMs > 0 ? { from: new Date(startMs).toISOString(), renewsAt: new Date(endMs).toISOString() } : {}),
  };
}

const amountView = ({ moneyMicros, tokens, calls }: Budget): { readonly money: number; readonly tokens: number; readonly calls: number } => ({ money: moneyMicros / MICROS, tokens, calls });
const round = (value: number): number => Math.round(value * MICROS) / MICROS;
