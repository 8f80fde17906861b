import type { Json } from '@weft/kernel';
import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { sendSignal, signalEvent, type SignalReceipt } from '../client/signals.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer } from '../output/print.js';
import { checkEvent, readInput, withExamples } from './command.js';
import { jsonOption } from './json-option.js';

interface SignalOptions {
  readonly type?: string;
  readonly data?: Json;
  readonly id?: string;
  readonly source: string;
  readonly subject?: string;
  readonly event?: string;
  readonly json?: boolean;
}

const SOURCE_BY_DEFAULT = '/weft/cli';

export function registerSignal(program: Command): void {
  const command = program
    .command('signal')
    .description('Send an event to an execution, or to every execution that listens for what it carries')
    .argument('[execution]', 'id of the execution; without it the event goes to whoever listens now')
    .option('--type <type>', 'type of the event')
    .option('--data <json>', 'its data, as JSON', jsonOption)
    .option('--id <id>', 'its id: sent again under the same id it counts once; default: a new one')
    .option('--source <uri>', 'its source', SOURCE_BY_DEFAULT)
    .option('--subject <text>', 'its subject')
    .option('--event <file>', 'a CloudEvent in structured mode (JSON) instead; - reads standard input')
    .option('--json', 'print JSON')
    .action(async (execution: string | undefined, options: SignalOptions) => {
      const event = eventOf(options);
      const receipt = await sendSignal(new GatewayClient(connection()), event, execution);
      printer(options.json ?? false).data(receipt, () => receiptText(receipt));
      // Whoever sends an event means somebody: that nobody took it is worth an exit code.
      if (receipt.taken === 0) process.exitCode = EXIT.failed;
    });
  withExamples(command, [
    [`./weft signal 0198c0de-... --type com.example.paid.v1 --data '{"amount": 5}'`, 'to one execution: taken by its listen, or kept for it'],
    ['./weft signal 0198c0de-... --type com.example.paid.v1 --id payment-7', 'the same again counts once'],
    ['./weft signal --event examples/order/events/payment.json', 'to every execution that listens for it now'],
  ]);
}

function eventOf({ type, data, id, source, subject, event }: SignalOptions): string {
  if ((type === undefined) === (event === undefined)) throw new CommandFailed(`Expected either --type or --event but got ${type === undefined ? 'neither' : 'both'}.`, EXIT.usage);
  if (type !== undefined) return signalEvent({ type, data, id, source, subject });
  if (data !== undefined || id !== undefined || subject !== undefined || source !== SOURCE_BY_DEFAULT)
    throw new CommandFailed('Expected nothing beside --event, as the file says all of the event, but got --data, --id, --source or --subject.', EXIT.usage);
  const text = readInput(event!, 'a CloudEvent');
  checkEvent(text, event!);
  return text;
}

function receiptText({ eventId, executionId, duplicate, taken = 0, executions = [] }: SignalReceipt): string {
  if (executionId !== undefined) return `${colors.bold(eventId)} ${duplicate ? 'was there already' : 'accepted'} ${colors.dim(`./weft show ${executionId}`)}`;
  if (taken === 0) return `${colors.bold(eventId)} nobody listens for it now`;
  return [`${colors.bold(eventId)} taken by ${taken} ${taken === 1 ? 'execution' : 'executions'}`, ...executions.map((id) => colors.dim(`./weft show ${id}`))].join('\n');
}
