// Budgets as people see and set them.
import { InvalidArgumentError, type Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer, table } from '../output/print.js';
import { oneOf, wholeNumber, withExamples } from './command.js';

interface Amounts {
  readonly money?: number;
  readonly tokens?: number;
  readonly calls?: number;
}

interface BudgetShape {
  readonly scope: string;
  readonly name: string;
  readonly per: string;
  readonly source: string;
  readonly limits: Amounts;
  readonly spent?: Amounts;
  readonly reserved?: Amounts;
  readonly left?: Amounts;
  readonly renewsAt?: string;
}

const SCOPES = ['tenant', 'execution', 'agent', 'tool', 'model'] as const;
const PERIODS = ['total', 'day', 'month'] as const;
const RESOURCES = ['money', 'tokens', 'calls'] as const;
const PAGE_MAX = 200;
const HEADERS = { 'content-type': 'application/json' };

export function registerBudgets(program: Command): void {
  const budgets = program
    .command('budgets')
    .description('List budgets with what is spent, reserved and left')
    .option('--execution <id>', 'tell besides what one execution has spent')
    .option('--limit <n>', 'how many, 1 to 100000; more than 200 are read in pages', wholeNumber(1, 100_000), 200)
    .option('--json', 'print JSON')
    .action(async ({ execution = '', limit, json = false }: { execution?: string; limit: number; json?: boolean }) => {
      const found = await readBudgets(new GatewayClient(connection()), execution, limit);
      printer(json).data(found, () => (found.length === 0 ? colors.dim('no budgets') : listed(found)));
    });
  withExamples(budgets, [
    ['./weft budgets', 'all of the tenant'],
    ['./weft budgets --execution 0198c0de-...', 'and what this execution has spent'],
    ["./weft budgets --json | jq '.[] | select(.left.calls == 0)'", 'those that are used up'],
  ]);
  registerSet(budgets);
  registerRemove(budgets);
}

function registerSet(budgets: Command): void {
  const set = named(budgets.command('set').description('Set a budget, or other limits of one; in force everywhere within 2 s'))
    .option('--money <amount>', "in the deployment's currency", amount)
    .option('--tokens <n>', 'of models, in and out', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--calls <n>', 'of tools and models', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--json', 'print JSON')
    .action(async (scope: string, name: string | undefined, { per, json = false, ...limits }: Amounts & { per: string; json?: boolean }) => {
      const body = JSON.stringify({ scope, name: name ?? '', per, ...limits });
      const reply = await new GatewayClient(connection()).call<BudgetShape>('/v1/budgets', { method: 'PUT', headers: HEADERS, body });
      printer(json).data(reply.body, () => listed([reply.body]));
    });
  withExamples(set, [
    ['./weft budgets set tenant --money 50 --per day', 'all that the tenant does in a day of UTC'],
    ['./weft budgets set tool send-mail --calls 100 --per day', 'one tool'],
    ['./weft budgets set execution acme/orders --tokens 20000', 'each execution of a workflow by itself'],
    ['./weft budgets set model gpt --money 200 --per month', 'one model of the catalogue'],
  ]);
}

function registerRemove(budgets: Command): void {
  const remove = named(budgets.command('remove').description('Remove a budget: nothing is limited by it any more'))
    .option('--json', 'print JSON')
    .action(async (scope: string, name: string | undefined, { per, json = false }: { per: string; json?: boolean }) => {
      const query = new URLSearchParams({ scope, name: name ?? '', per });
      const reply = await new GatewayClient(connection()).call<BudgetShape>(`/v1/budgets?${query}`, { method: 'DELETE' });
      printer(json).data(reply.body, () => `removed ${titleOf(reply.body)}`);
    });
  withExamples(remove, [['./weft budgets remove tool send-mail --per day', 'the one that was set with the same scope, name and period']]);
}

const named = (command: Command): Command =>
  command
    .argument('<scope>', SCOPES.join(', '), scopeOf)
    .argument('[name]', 'of the agent, tool or model; of an execution its workflow, namespace/name; none for a tenant')
    .option('--per <period>', 'total, or a calendar day or month in UTC', oneOf(PERIODS), 'total');

const scopeOf = (text: string): string => {
  if (!SCOPES.some((scope) => scope === text)) throw new CommandFailed(`Expected a scope of ${SCOPES.join(', ')} but got ${JSON.stringify(text)}.`, EXIT.usage);
  return text;
};

function amount(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d{1,6})?$/.test(text) || value > 1e9) throw new InvalidArgumentError('Expected an amount from 0 to 1000000000 with at most six decimals.');
  return value;
}

async function readBudgets(client: GatewayClient, execution: string, limit: number): Promise<readonly BudgetShape[]> {
  const found: BudgetShape[] = [];
  for (let cursor = ''; ;) {
    const query = new URLSearchParams({ limit: String(Math.min(limit - found.length, PAGE_MAX)), ...(cursor === '' ? {} : { cursor }), ...(execution === '' ? {} : { execution }) });
    const { body } = await client.call<{ readonly budgets: readonly BudgetShape[]; readonly nextCursor: string }>(`/v1/budgets?${query}`);
    found.push(...body.budgets);
    cursor = body.nextCursor;
    if (cursor === '' || found.length >= limit) return found.slice(0, limit);
  }
}

function listed(budgets: readonly BudgetShape[]): string {
  const head = ['budget', 'limit', 'spent', 'reserved', 'left', ''].map((text) => colors.dim(text));
  return table([head, ...budgets.map(rowOf)]);
}

function rowOf(budget: BudgetShape): readonly string[] {
  const { limits, spent, reserved, left = {}, source, renewsAt } = budget;
  // What has no limit is told where there is any of it.
  const shown = RESOURCES.filter((resource) => limits[resource] !== undefined || (source === 'execution' && (spent?.[resource] ?? 0) > 0));
  const texts = (amounts: Amounts | undefined): string => (amounts ? shown.map((resource) => `${amounts[resource] ?? 0} ${resource}`).join(', ') : 'each by itself');
  const isUsedUp = Object.values(left).some((value) => value === 0);
  const more = [source, ...(renewsAt ? [`renews ${renewsAt}`] : [])].join(', ');
  return [titleOf(budget), texts(limits), texts(spent), texts(reserved), isUsedUp ? colors.red(texts(left)) : texts(spent && left), colors.dim(more)];
}

const titleOf = ({ scope, name, per }: BudgetShape): string => colors.bold(`${scope}${name === '' ? '' : ` ${name}`}${per === 'total' ? '' : ` per ${per}`}`);
