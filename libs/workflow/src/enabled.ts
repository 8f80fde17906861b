// What a deployment may leave out of the standard because it reaches the machine that it runs on.
import { isJsonObject, type JsonObject } from '@weft/kernel';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import type { PlacedTask } from './tasks.js';

/** What the operator has let workflows do. */
export interface Enabled {
  readonly python: boolean;
  readonly shell: boolean;
  readonly container: boolean;
  /** Commands that `call: mcp` may start as servers. */
  readonly mcpCommands: readonly string[];
}

/** AsyncAPI protocols that are spoken, of those that the standard names. */
export const ASYNCAPI_PROTOCOLS: readonly string[] = ['http', 'kafka'];

/** What a document does that the deployment does not let it, or that none can. What an expression says is refused when the task runs. */
export function disabledProblems(tasks: readonly PlacedTask[], enabled: Enabled): readonly Problem[] {
  return tasks.flatMap(({ pointer, task, kind }) => {
    if (kind === 'run') return isJsonObject(task['run']) ? runProblems(task['run'], `${pointer}/run`, enabled) : [];
    if (kind !== 'call' || !isJsonObject(task['with'])) return [];
    if (task['call'] === 'mcp') return mcpProblems(task['with'], `${pointer}/with`, enabled);
    return task['call'] === 'asyncapi' ? asyncapiProblems(task['with'], `${pointer}/with`) : [];
  });
}

function runProblems(run: JsonObject, pointer: string, enabled: Enabled): readonly Problem[] {
  if (isJsonObject(run['script']) && run['script']['language'] === 'python' && !enabled.python)
    return [off(pointerTo(pointer, 'script', 'language'), 'a script in JavaScript', 'is in Python', 'WEFT_RUN_PYTHON to the command of an interpreter')];
  if (run['shell'] !== undefined && !enabled.shell) return [off(pointerTo(pointer, 'shell'), 'no command', 'runs one', 'WEFT_RUN_SHELL to the path of a shell')];
  if (run['container'] !== undefined && !enabled.container) return [off(pointerTo(pointer, 'container'), 'no container', 'runs one', 'WEFT_RUN_CONTAINER to the command of a container engine')];
  return [];
}

function mcpProblems({ transport }: JsonObject, pointer: string, { mcpCommands }: Enabled): readonly Problem[] {
  const stdio = isJsonObject(transport) ? transport['stdio'] : undefined;
  const command = isJsonObject(stdio) ? stdio['command'] : undefined;
  if (typeof command !== 'string' || isExpression(command) || mcpCommands.includes(command)) return [];
  return [
    {
      pointer: pointerTo(pointer, 'transport', 'stdio', 'command'),
      message: `Expected an MCP server that may be started but ${pointer} starts ${JSON.stringify(command.slice(0, 80))}: list the command in WEFT_MCP_STDIO, or reach the server over HTTP`,
    },
  ];
}

function asyncapiProblems(call: JsonObject, pointer: string): readonly Problem[] {
  const { protocol } = call;
  if (typeof protocol !== 'string' || isExpression(protocol) || ASYNCAPI_PROTOCOLS.includes(protocol)) return [];
  return [
    {
      pointer: pointerTo(pointer, 'protocol'),
      message: `Expected a protocol that is spoken (${ASYNCAPI_PROTOCOLS.join(', ')}) but ${pointer} names ${JSON.stringify(protocol.slice(0, 40))}`,
    },
  ];
}

const isExpression = (text: string): boolean => text.trimStart().startsWith('${');

const off = (pointer: string, expected: string, found: string, setting: string): Problem => ({
  pointer,
  message: `Expected ${expected} but ${pointer} ${found}, which this deployment does not let it: its operator can set ${setting}`,
});
