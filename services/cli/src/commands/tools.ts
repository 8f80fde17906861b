// `weft tools`: what tools there are, which wait for a decision, and the decision.
import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { decideTool, listTools, showTool, type ToolDetailShape, type ToolShape, type ToolsShape } from '../client/tools.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer, table } from '../output/print.js';
import { toolDifferences } from '../output/tool-differences.js';
import { oneOf, wholeNumber, withExamples } from './command.js';

const STATES = ['declared', 'accepted', 'quarantined', 'rejected', 'gone', 'unfit'] as const;

export function registerTools(program: Command): void {
  const tools = program
    .command('tools')
    .description('List the tools that there are, with their states; a new or changed tool of a source waits until it is accepted')
    .option('--state <state>', `only those that are ${STATES.join(', ')}`, oneOf(STATES))
    .option('--source <name>', 'only those of one source')
    .option('--limit <n>', 'how many, 1 to 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'go on from an earlier page')
    .option('--json', 'print JSON')
    .action(async ({ json = false, ...asked }: { state?: string; source?: string; limit: number; cursor?: string; json?: boolean }) => {
      const page = await listTools(new GatewayClient(connection()), asked);
      printer(json).data(page, () => pageText(page));
    });
  withExamples(tools, [
    ['./weft tools', 'everything that is declared or offered'],
    ['./weft tools --state quarantined', 'what waits for a decision'],
    ["./weft tools --json | jq -r '.tools[].name'", 'the names'],
  ]);

  const show = tools
    .command('show')
    .description('Show one tool: its class, limits, definition and who decided about it')
    .argument('<name>', 'name of the tool, with its source before it')
    .option('--json', 'print JSON')
    .action(async (name: string, { json = false }: { json?: boolean }) => {
      const tool = await showTool(new GatewayClient(connection()), name);
      printer(json).data(tool, () => detailText(tool));
    });
  withExamples(show, [['./weft tools show files.read_text_file', 'what it says and how it stands']]);

  const diff = tools
    .command('diff')
    .description('Show what is different between the definition that was accepted and the one that is offered; exits with 1 when something is')
    .argument('<name>', 'name of the tool')
    .option('--json', 'print JSON')
    .action(async (name: string, { json = false }: { json?: boolean }) => {
      const tool = await showTool(new GatewayClient(connection()), name);
      printer(json).data({ name, state: tool.state, digest: tool.digest, invisible: tool.invisible, differences: tool.differences }, () => toolDifferences(tool));
      if (tool.differences.length > 0) process.exitCode = EXIT.failed;
    });
  withExamples(diff, [['./weft tools diff files.read_text_file', 'field by field, with every invisible character written out']]);

  for (const [outcome, description] of [
    ['accept', 'Let a tool be called as it is offered now'],
    ['reject', 'Refuse a tool as it is offered now; a definition accepted before it stays the accepted one'],
  ] as const) {
    const decide = tools
      .command(outcome)
      .description(description)
      .argument('<name...>', 'names of tools')
      .option('--digest <digest>', 'decide only if this is the definition (one tool); default: the one that is offered when the command starts')
      .option('--reason <text>', 'why', '')
      .option('--json', 'print JSON')
      .action((names: string[], { digest, reason, json = false }: { digest?: string; reason: string; json?: boolean }) =>
        decideAll(names, { outcome, reason, ...(digest === undefined ? {} : { digest }) }, json),
      );
    withExamples(decide, [
      [`./weft tools ${outcome} files.read_text_file --reason "read the diff"`, 'with why'],
      [`./weft tools ${outcome} files.read_text_file --digest 3f0c...`, 'only what was looked at'],
    ]);
  }
}

interface Decision {
  readonly outcome: 'accept' | 'reject';
  readonly reason: string;
  readonly digest?: string;
}

async function decideAll(names: readonly string[], { outcome, reason, digest }: Decision, json: boolean): Promise<void> {
  if (digest !== undefined && names.length > 1) throw new CommandFailed('Expected one tool with --digest but got several: each has a digest of its own.', EXIT.usage);
  const client = new GatewayClient(connection());
  const decided: ToolDetailShape[] = [];
  for (const name of names) {
    const offered = digest ?? (await showTool(client, name)).digest;
    decided.push(await decideTool(client, name, { digest: offered, outcome, reason }));
  }
  printer(json).data(decided, () => table(decided.map((tool) => [tool.name, stateText(tool.state), colors.dim(tool.digest.slice(0, 16))])));
}

const COLOR: Readonly<Record<string, (text: string) => string>> = {
  declared: colors.green,
  accepted: colors.green,
  quarantined: colors.yellow,
  rejected: colors.red,
  gone: colors.dim,
  unfit: colors.red,
};
const stateText = (state: string): string => (COLOR[state] ?? ((text: string) => text))(state);

function pageText({ tools, nextCursor, problems }: ToolsShape): string {
  const rows = tools.map(({ name, state, effect, summary }: ToolShape) => [colors.bold(name), stateText(state), effect, colors.dim(summary.slice(0, 80))]);
  return [
    rows.length === 0 ? colors.dim('no tools') : table(rows),
    ...problems.map(({ source, message }) => colors.red(`source ${source}: ${message}`)),
    ...(nextCursor === '' ? [] : [colors.dim(`more: --cursor ${nextCursor}`)]),
  ].join('\n');
}

function detailText(tool: ToolDetailShape): string {
  const { decision } = tool;
  const facts: (readonly [string, string])[] = [
    ['state', `${stateText(tool.state)}${tool.reason === undefined ? '' : colors.dim(` ${tool.reason}`)}`],
    ['source', tool.source],
    ['effect', tool.effect],
    ['data', tool.data],
    ['timeout', `${tool.timeoutMs} ms`],
    ['concurrency', tool.concurrency === null ? 'not bounded by itself' : String(tool.concurrency)],
    ['cost', `${tool.costMicros} millionths a call`],
    ['hook', tool.hasReconcileHook ? 'tells afterwards whether an effect happened' : 'none'],
    ['digest', tool.digest],
    ...(decision ? [['decided', `by ${decision.by} at ${decision.at ?? '?'}${decision.reason === '' ? '' : `: ${decision.reason}`}`] as const] : []),
    ...(tool.invisible === 0 ? [] : [['invisible', colors.red(`${tool.invisible} characters that nobody sees; ./weft tools diff shows them`)] as const]),
  ];
  return [colors.bold(tool.name), table(facts), JSON.stringify(tool.offered, null, 2)].join('\n');
}
