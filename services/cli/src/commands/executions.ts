import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import type { ExecutionShape } from '../client/shapes.js';
import { colors, printer, status as colored, table } from '../output/print.js';
import { oneOf, wholeNumber, withExamples } from './command.js';

const STATUSES = ['running', 'waiting', 'completed', 'faulted', 'cancelled'] as const;

export function registerExecutions(program: Command): void {
  const command = program
    .command('executions')
    .description('List executions, the newest first')
    .option('--status <status>', `only those: ${STATUSES.join(', ')}`, oneOf(STATUSES))
    .option('--limit <n>', 'how many, 1 to 200', wholeNumber(1, 200), 20)
    .option('--json', 'print JSON')
    .action(async ({ status, limit, json = false }: { status?: string; limit: number; json?: boolean }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(status === undefined ? {} : { status }) });
      const { body } = await new GatewayClient(connection()).call<{ readonly executions: readonly ExecutionShape[]; readonly nextCursor: string }>(`/v1/executions?${query}`);
      printer(json).data(body.executions, () => (body.executions.length === 0 ? colors.dim('no executions') : table(body.executions.map(rowOf))));
    });
  withExamples(command, [
    ['./weft executions', 'the last 20'],
    ['./weft executions --status waiting', 'those that wait for a person or a timer'],
    ["./weft executions --json | jq -r '.[].executionId'", 'their ids'],
  ]);
}

const rowOf = ({ executionId, status, workflow, startedAt, requestId }: ExecutionShape): readonly string[] => [
  executionId,
  colored(status),
  workflow ? `${workflow.namespace}/${workflow.name}:${workflow.version}` : '',
  colors.dim(startedAt ?? ''),
  colors.dim(requestId ?? ''),
];
