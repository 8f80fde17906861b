import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { publishEvent } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import { isEnded, type AcceptedShape } from '../client/shapes.js';
import { EXIT } from '../exit-codes.js';
import { colors, printer, status } from '../output/print.js';
import { errorText } from '../output/timeline.js';
import { checkEvent, readInput, wholeNumber, withExamples } from './command.js';

const WAIT_BY_DEFAULT_S = 30;

export function registerPublish(program: Command): void {
  const command = program
    .command('publish')
    .description('Publish a request event: a CloudEvent in structured mode (JSON)')
    .argument('<file>', 'file with the event; - reads standard input')
    .option('--wait [seconds]', `wait for its end, ${WAIT_BY_DEFAULT_S} seconds unless a number is given`, (text: string) => wholeNumber(1, 60)(text))
    .option('--json', 'print JSON')
    .action(async (file: string, { wait, json = false }: { wait?: number | true; json?: boolean }) => {
      const event = readInput(file, 'a CloudEvent');
      checkEvent(event, file);
      const out = printer(json);
      const waitS = wait === true ? WAIT_BY_DEFAULT_S : (wait ?? 0);
      if (waitS > 0) out.progress(`waiting up to ${waitS} s for the end`);
      const accepted = await publishEvent(new GatewayClient(connection()), event, waitS);
      out.data(accepted, () => receiptText(accepted));
      if (accepted.status === 'faulted' || accepted.status === 'cancelled') process.exitCode = EXIT.failed;
    });
  withExamples(command, [
    ['./weft publish examples/complaint-triage/events/plain.json', 'accepted once it is durable; prints the execution id'],
    ['./weft publish event.json --wait 10 --json', 'waits up to 10 s and prints the output'],
    ['jq -n ... | ./weft publish -', 'reads the event from standard input'],
  ]);
}

function receiptText(accepted: AcceptedShape): string {
  const { executionId, duplicate, output, error, route } = accepted;
  return [
    `${status(accepted.status)} ${colors.bold(executionId)}${duplicate ? colors.dim(' (published before: the same execution answers)') : ''}`,
    ...(route?.workflow ? [colors.dim(`${route.rule} → ${route.workflow.namespace}/${route.workflow.name}:${route.workflow.version}`)] : []),
    ...(output === undefined ? [] : [JSON.stringify(output, null, 2)]),
    ...(error === undefined ? [] : [colors.red(errorText(error))]),
    ...(isEnded(accepted.status) ? [] : [colors.dim(`./weft show ${executionId}`)]),
  ].join('\n');
}
