// The same operation on every execution that a query means.
import { InvalidArgumentError, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { connection } from '../client/connection.js';
import { queryParameters, withQuery, type QueryOptions } from '../client/execution-query.js';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer } from '../output/print.js';
import { withExamples, wholeNumber } from './command.js';

const OPERATIONS = ['cancel', 'pause', 'resume', 'terminate', 'retry'];
const PAGE = 500;

interface BulkOptions extends QueryOptions {
  readonly reason?: string;
  readonly id?: string;
  readonly cursor?: string;
  readonly max: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface Refusal {
  readonly code: string;
  readonly count: number;
  readonly executionId: string;
  readonly message: string;
}

interface Page {
  readonly bulkId: string;
  readonly matched: number;
  readonly done: number;
  readonly already: number;
  readonly refused: readonly Refusal[];
  readonly nextCursor: string;
}

export function registerBulk(program: Command): void {
  const command = withQuery(
    program.command('bulk').description('Do the same with every execution that a query means. Say --dry-run first: it only counts').argument('<operation>', OPERATIONS.join(', '), operation),
  )
    .option('--reason <text>', 'why; it is recorded with each of them')
    .option('--id <id>', 'name of the whole operation: the same id again does nothing twice; default: a new one, which is told')
    .option('--cursor <cursor>', 'go on from where a former run with the same id ended')
    .option('--max <n>', 'executions at most', wholeNumber(1, 10_000_000), 100_000)
    .option('--dry-run', 'only count')
    .option('--json', 'print JSON')
    .action(async (name: string, options: BulkOptions) => run(name, options));
  withExamples(command, [
    ['./weft bulk cancel --workflow demo/complaint --status waiting --dry-run', 'how many there are'],
    ['./weft bulk cancel --workflow demo/complaint --status waiting --reason "recalled"', 'cancel them'],
    ['./weft bulk retry --status faulted --since 2h', 'once what made them fail is put right'],
    ['./weft bulk pause --attribute customer=42 --json', '{bulkId, matched, done, already, refused}'],
  ]);
}

async function run(name: string, { reason = '', id, cursor = '', max, dryRun = false, json = false, ...query }: BulkOptions): Promise<void> {
  const asked = queryBody(query);
  if (Object.keys(asked).length === 0)
    throw new CommandFailed('Expected at least one condition, such as --status or --workflow, but there is none: it would mean every execution of the tenant.', EXIT.usage);
  const out = printer(json);
  const client = new GatewayClient(connection());
  const bulkId = id ?? randomUUID();
  const ask = async (from: string, limit: number): Promise<Page> => {
    const body = JSON.stringify({ operation: name, id: bulkId, reason, query: asked, dryRun, cursor: from, limit });
    return (await client.call<Page>('/v1/executions/bulk', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).body;
  };
  if (dryRun) {
    const { matched } = await ask('', PAGE);
    out.data({ operation: name, matched, dryRun }, () => `${matched} executions match; ${name} would be tried on each`);
    return;
  }
  out.progress(`${name}, id ${bulkId}: the same command with --id ${bulkId} goes on where it is cut off`);
  let total: Page = { bulkId, matched: 0, done: 0, already: 0, refused: [], nextCursor: cursor };
  do {
    total = sum(total, await ask(total.nextCursor, Math.min(PAGE, max - total.matched)));
    out.progress(`${total.matched} executions, ${total.done} done${total.nextCursor === '' ? '' : `, at --cursor ${total.nextCursor}`}`);
  } while (total.nextCursor !== '' && total.matched < max);
  out.data({ operation: name, ...total }, () => textOf(name, total));
  if (total.refused.length > 0) process.exitCode = EXIT.failed;
}

/** Conditions as the body names them. */
function queryBody(query: QueryOptions): Record<string, unknown> {
  const parameters = queryParameters(query);
  const attributes = parameters.getAll('attribute');
  parameters.delete('attribute');
  return { ...Object.fromEntries(parameters), ...(attributes.length > 0 ? { attributes } : {}) };
}

function sum(total: Page, page: Page): Page {
  const refused = new Map(total.refused.map((refusal) => [refusal.code, refusal]));
  for (const refusal of page.refused) refused.set(refusal.code, { ...refusal, ...refused.get(refusal.code), count: (refused.get(refusal.code)?.count ?? 0) + refusal.count });
  return { ...page, matched: total.matched + page.matched, done: total.done + page.done, already: total.already + page.already, refused: [...refused.values()] };
}

function textOf(name: string, { bulkId, matched, done, already, refused, nextCursor }: Page): string {
  return [
    `${name}: ${colors.bold(String(done))} done of ${matched}${already > 0 ? `, ${already} were so already` : ''}`,
    ...refused.map(({ code, count, executionId, message }) => `${colors.red(`${count} refused`)} (${code}), such as ${executionId}: ${message}`),
    ...(nextCursor === '' ? [] : [colors.dim(`more match: go on with --id ${bulkId} --cursor ${nextCursor}`)]),
  ].join('\n');
}

function operation(text: string): string {
  if (!OPERATIONS.includes(text)) throw new InvalidArgumentError(`Expected ${OPERATIONS.join(', ')}.`);
  return text;
}
