// Operations on an execution as a whole. One table: what each does, what is said of it, and what comes next.
import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { operateExecution } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import type { OperatedShape } from '../client/shapes.js';
import { colors, printer, status as colored } from '../output/print.js';
import { withExamples } from './command.js';

interface OperationOptions {
  readonly reason?: string;
  readonly task?: string;
  readonly json?: boolean;
}

interface Wording {
  readonly description: string;
  /** Whether it starts from a task. */
  readonly takesTask?: true;
  readonly done: (operated: OperatedShape) => string;
  readonly already: string;
  readonly examples: readonly (readonly [string, string])[];
}

const EXAMPLE = '0198c0de-...';
const isRunning = ({ execution }: OperatedShape): boolean => execution.status === 'running' || execution.status === 'waiting';
const FORKED = 'Effects done before that task are not done again; those after it are new effects.';

const OPERATIONS: Readonly<Record<string, Wording>> = {
  cancel: {
    description: 'Cancel an execution: what it waits for is dropped, each `catch` that names the error type `cancelled` runs, then it ends cancelled',
    done: (operated) => (isRunning(operated) ? 'cancel taken; its handlers run, then it ends cancelled' : 'cancelled'),
    already: 'the cancel was asked for before',
    examples: [
      [`./weft cancel ${EXAMPLE} --reason "ordered twice"`, 'the reason is recorded and told with the result'],
      [`./weft cancel ${EXAMPLE} --json | jq -r .execution.status`, 'running while its handlers run'],
    ],
  },
  pause: {
    description: 'Suspend an execution: results of running jobs are kept, nothing new is scheduled, timers wait for the resume',
    done: () => 'suspended; jobs under way may still end, and their results are kept',
    already: 'it was suspended already',
    examples: [[`./weft pause ${EXAMPLE}`, 'until ./weft resume']],
  },
  resume: {
    description: 'Let a suspended execution go on; what came meanwhile is taken up, timers that fell due fire',
    done: () => 'resumed',
    already: 'it was not suspended',
    examples: [[`./weft resume ${EXAMPLE}`, 'it goes on where it was']],
  },
  terminate: {
    description: 'End an execution at once, without its handlers',
    done: () => 'terminated; none of its handlers ran',
    already: 'it had ended already',
    examples: [[`./weft terminate ${EXAMPLE} --reason "stuck"`, 'when a cancel would take too long']],
  },
  retry: {
    description: 'Let a faulted execution go on from the task that failed. An effect that was confirmed, or whose outcome is unknown, is not blindly done again',
    done: ({ execution }) =>
      execution.status === 'faulted'
        ? 'tried again from the task that failed, and faulted again: ./weft show says why'
        : 'goes on from the task that failed; its end is a further result for its request',
    already: 'this retry was taken before',
    examples: [[`./weft retry ${EXAMPLE}`, 'once what made it fail is put right']],
  },
  fork: {
    description: `Start a new execution from a task of this one, with the data it had there. ${FORKED}`,
    takesTask: true,
    done: ({ newExecutionId = '' }) => `new execution ${newExecutionId}; this one is as it was`,
    already: 'this fork was taken before',
    examples: [
      [`./weft fork ${EXAMPLE} --task decide`, 'try the rest again, beside the first'],
      [`./weft fork ${EXAMPLE} --json | jq -r .newExecutionId`, 'from the task that it faulted at'],
    ],
  },
  reset: {
    description: `Start the workflow anew from a task of this execution, which is terminated if it still runs. ${FORKED}`,
    takesTask: true,
    done: ({ newExecutionId = '', execution }) => `new execution ${newExecutionId}; this one is ${execution.status}`,
    already: 'this reset was taken before',
    examples: [[`./weft reset ${EXAMPLE} --task /do/2/decide`, 'from there on once more']],
  },
};

export function registerOperations(program: Command): void {
  for (const [operation, wording] of Object.entries(OPERATIONS)) registerOperation(program, operation, wording);
}

function registerOperation(program: Command, operation: string, { description, takesTask, done, already, examples }: Wording): void {
  const command = program.command(operation).description(description).argument('<execution>', 'id of the execution').option('--reason <text>', 'why; it is recorded');
  if (takesTask) command.option('--task <task>', 'name or JSON Pointer of the task to start from; default: the one that the execution faulted at');
  command.option('--json', 'print JSON').action(async (id: string, { reason, task, json = false }: OperationOptions) => {
    const operated = await operateExecution(new GatewayClient(connection()), id, operation, { reason, task });
    printer(json).data(operated, () => textOf(operated, operated.changed ? done(operated) : `${already}${operated.newExecutionId ? `: execution ${operated.newExecutionId}` : ''}`));
  });
  withExamples(command, examples);
}

function textOf({ execution, possible, newExecutionId }: OperatedShape, what: string): string {
  const id = execution.executionId;
  const next = possible.length === 0 ? '' : `possible now: ${possible.join(', ')}`;
  return [`${colored(execution.status)}  ${what}`, colors.dim(`./weft show ${newExecutionId ?? id}${next === '' ? '' : `  ${next}`}`)].join('\n');
}
