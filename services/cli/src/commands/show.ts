import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { readExecution } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import { printer } from '../output/print.js';
import { renderExecution, tasksOf } from '../output/timeline.js';
import { withExamples } from './command.js';

export function registerShow(program: Command): void {
  const command = program
    .command('show')
    .description('Show what an execution did: route, timeline, evidence, answer')
    .argument('<execution>', 'id of the execution')
    .option('--json', 'print JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const { execution, timeline, route } = await readExecution(new GatewayClient(connection()), id);
      printer(json).data({ ...execution, route, tasks: tasksOf(timeline), timeline: timeline.entries }, () => renderExecution(execution, timeline, route));
    });
  withExamples(command, [
    ['./weft show 0198c0de-...', 'the timeline, for people'],
    ["./weft show 0198c0de-... --json | jq '.tasks'", 'how long each task took'],
  ]);
}
