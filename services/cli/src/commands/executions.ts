import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { queryParameters, withQuery, type QueryOptions } from '../client/execution-query.js';
import { GatewayClient } from '../client/gateway-client.js';
import type { ExecutionShape } from '../client/shapes.js';
import { colors, printer, status as colored, table } from '../output/print.js';
import { wholeNumber, withExamples } from './command.js';

interface ExecutionsOptions extends QueryOptions {
  readonly limit: number;
  readonly json?: boolean;
}

const PAGE_MAX = 200;

export function registerExecutions(program: Command): void {
  const command = withQuery(program.command('executions').description('List executions, the newest first'))
    .option('--limit <n>', 'how many, 1 to 100000; more than 200 are read in pages', wholeNumber(1, 100_000), 20)
    .option('--json', 'print JSON')
    .action(async ({ limit, json = false, ...query }: ExecutionsOptions) => {
      const out = printer(json);
      const executions = await readExecutions(new GatewayClient(connection()), query, limit, out.progress);
      out.data(executions, () => (executions.length === 0 ? colors.dim('no executions') : table(executions.map(rowOf))));
    });
  withExamples(command, [
    ['./weft executions', 'the last 20'],
    ['./weft executions --status waiting', 'those that wait for a person, a timer or an event'],
    ['./weft executions --attribute customer=42 --since 7d', 'those of one customer, of the last week'],
    ['./weft executions --workflow demo/complaint --status faulted', 'what went wrong, in any version'],
    ['./weft executions --parent 0198c0de-...', 'what the tasks of one execution started'],
    ["./weft executions --json | jq -r '.[].executionId'", 'their ids'],
  ]);
}

/** Reads page after page until there are enough. */
async function readExecutions(client: GatewayClient, query: QueryOptions, limit: number, progress: (text: string) => void): Promise<readonly ExecutionShape[]> {
  const executions: ExecutionShape[] = [];
  for (let cursor = ''; ;) {
    const parameters = queryParameters(query);
    parameters.set('limit', String(Math.min(limit - executions.length, PAGE_MAX)));
    if (cursor !== '') parameters.set('cursor', cursor);
    const { body } = await client.call<{ readonly executions: readonly ExecutionShape[]; readonly nextCursor: string }>(`/v1/executions?${parameters}`);
    executions.push(...body.executions);
    cursor = body.nextCursor;
    if (cursor === '' || executions.length >= limit) return executions;
    progress(`${executions.length} executions so far`);
  }
}

const rowOf = ({ executionId, status, workflow, startedAt, requestId, attributes = [] }: ExecutionShape): readonly string[] => [
  executionId,
  colored(status),
  workflow ? `${workflow.namespace}/${workflow.name}:${workflow.version}` : '',
  colors.dim(startedAt ?? ''),
  colors.dim(requestId ?? ''),
  colors.dim(attributes.map(({ name, value }) => `${name}=${value}`).join(' ')),
];
