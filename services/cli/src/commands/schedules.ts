import type { Json } from '@weft/kernel';
import { InvalidArgumentError, type Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { changeSchedule, readSchedules, type ScheduleShape } from '../client/schedules.js';
import { colors, printer, table } from '../output/print.js';
import { withExamples } from './command.js';
import { jsonOption } from './json-option.js';

interface Flags {
  readonly reason?: string;
  readonly input?: Json;
  readonly json?: boolean;
}

export function registerSchedules(program: Command): void {
  const schedules = program.command('schedules').description('What starts workflows by itself: list, show, pause, resume, trigger');
  registerList(schedules);
  registerShow(schedules);
  registerChange(schedules, 'pause', 'Start nothing any more, until it is resumed; what runs goes on', 'nothing starts until it is resumed');
  registerChange(schedules, 'resume', 'Go on from the next time; what went by meanwhile does not start', 'from its next time on');
  registerTrigger(schedules);
}

function registerList(schedules: Command): void {
  const list = schedules
    .command('list', { isDefault: true })
    .description('List the schedules of the versions that were deployed last')
    .option('--json', 'print JSON')
    .action(async ({ json = false }: Flags) => print(await readSchedules(new GatewayClient(connection())), json));
  withExamples(list, [
    ['./weft schedules', 'each with its next time'],
    ["./weft schedules --json | jq -r '.[] | select(.paused) | .workflow.name'", 'those that are paused'],
  ]);
}

function registerShow(schedules: Command): void {
  const show = withWorkflow(schedules.command('show').description('Show the schedules of one workflow'))
    .option('--json', 'print JSON')
    .action(async (workflow: string, { json = false }: Flags) => print(await readSchedules(new GatewayClient(connection()), workflow), json));
  withExamples(show, [['./weft schedules show examples/backup', 'its times, and who changed it last']]);
}

function registerChange(schedules: Command, operation: 'pause' | 'resume', description: string, example: string): void {
  const command = withWorkflow(schedules.command(operation).description(description))
    .option('--reason <text>', 'why; it is kept')
    .option('--json', 'print JSON')
    .action(async (workflow: string, { reason, json = false }: Flags) =>
      print((await changeSchedule(new GatewayClient(connection()), workflow, operation, reason === undefined ? {} : { reason })).schedules, json),
    );
  withExamples(command, [[`./weft schedules ${operation} examples/backup --reason "moving house"`, example]]);
}

function registerTrigger(schedules: Command): void {
  const trigger = withWorkflow(schedules.command('trigger').description('Start it now, besides its times; prints the id of the execution'))
    .option('--input <json>', 'its input, as JSON (default: {} as at its times, or [] where events start it)', jsonOption)
    .option('--json', 'print JSON')
    .action(async (workflow: string, { input, json = false }: Flags) => {
      const { executionId } = await changeSchedule(new GatewayClient(connection()), workflow, 'trigger', input === undefined ? {} : { input });
      printer(json).data({ executionId }, () => executionId ?? '');
    });
  withExamples(trigger, [['./weft show $(./weft schedules trigger examples/backup)', 'starts it, and shows what it does']]);
}

const withWorkflow = (command: Command): Command => command.argument('<workflow>', 'namespace/name', workflowName);

function workflowName(text: string): string {
  if (!/^[^/:]+\/[^/:]+$/.test(text)) throw new InvalidArgumentError('Expected a workflow as namespace/name, such as examples/backup.');
  return text;
}

function print(schedules: readonly ScheduleShape[], json: boolean): void {
  printer(json).data(schedules, () => (schedules.length === 0 ? colors.dim('no schedules') : table(schedules.map(rowOf))));
}

const rowOf = ({ workflow, kind, schedule, paused, dueAt, startedAt, changedBy, reason }: ScheduleShape): readonly string[] => [
  `${workflow.namespace}/${workflow.name}:${workflow.version}`,
  kind === 'on' ? 'on events' : `${kind} ${typeof schedule === 'string' ? schedule : JSON.stringify(schedule)}`,
  paused ? colors.yellow(`paused by ${changedBy ?? ''}${reason ? `: ${reason}` : ''}`) : dueAt === null ? '' : `next ${dueAt}`,
  colors.dim(startedAt === null ? '' : `last ${startedAt}`),
];
