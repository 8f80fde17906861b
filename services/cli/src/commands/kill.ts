// Kill switches: stopping what acts, at once and for everybody, until it is revived.
import { Argument, type Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { colors, printer, table } from '../output/print.js';
import { withExamples } from './command.js';

interface SwitchShape {
  readonly kind: string;
  readonly tenant: string;
  readonly name?: string;
  readonly off: boolean;
  readonly reason: string;
  readonly changedBy: string;
  readonly changedAt: string;
}

interface SwitchFlags {
  readonly reason?: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

const KINDS = ['agent', 'workflow', 'tool', 'tenant', 'everything'];

export function registerKill(program: Command): void {
  const kill = program
    .command('kill')
    .description('Stop an agent, a workflow, a tool, a tenant or everything within two seconds: nothing of it acts until it is revived')
    .requiredOption('--reason <text>', 'why; whoever is stopped is told it');
  withExamples(withTarget(kill, true), [
    ['./weft kill tool send-mail --reason "It writes to everybody."', "the tool, for this key's tenant"],
    ['./weft kill agent triager --reason "It loops."', 'an agent, in every workflow'],
    ['./weft kill tool send-mail --tenant "*" --reason "Leaked key."', 'for all tenants; operators only'],
    ['./weft kill everything --reason "Incident 42."', 'all tenants, all tools and models; operators only'],
  ]);
  const revive = program.command('revive').description('Let what was killed go on').option('--reason <text>', 'why', '');
  withExamples(withTarget(revive, false), [
    ['./weft revive tool send-mail', 'it may be used again, as far as policies permit'],
    ['./weft revive everything --reason "Incident 42 is over."', 'operators only'],
  ]);
  const kills = program
    .command('kills')
    .description('List what is killed')
    .option('--tenant <name>', 'whose, and what counts for all; "*" for everybody (operators only)')
    .option('--json', 'print JSON')
    .action(async ({ tenant, json = false }: SwitchFlags) => {
      const switches = await allSwitches(tenant);
      printer(json).data(switches, () =>
        switches.length === 0 ? colors.dim('nothing is killed') : table(switches.map((each) => [each.kind, each.name ?? '', each.tenant, each.changedAt, each.changedBy, each.reason])),
      );
    });
  withExamples(kills, [
    ['./weft kills', "of this key's tenant, and of all"],
    ['./weft kills --tenant "*" --json', 'of every tenant'],
  ]);
}

function withTarget(command: Command, off: boolean): Command {
  return command
    .addArgument(new Argument('<kind>', 'what').choices(KINDS))
    .argument('[name]', 'which: the name of an agent, workflow (namespace/name), tool or tenant')
    .option('--tenant <name>', 'whose; "*" = of all tenants (operators only)')
    .option('--json', 'print JSON')
    .action(async (kind: string, name: string | undefined, { reason = '', tenant, json = false }: SwitchFlags) => {
      // A tenant is named like the others, and is whose it is.
      const whose = kind === 'tenant' ? name : tenant;
      const body = { kind, off, reason, ...(kind === 'tenant' || name === undefined ? {} : { name }), ...(whose === undefined ? {} : { tenant: whose }) };
      const { body: told } = await new GatewayClient(connection()).call<SwitchShape>('/v1/switches', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      printer(json).data(told, () => switchText(told));
    });
}

function switchText({ kind, name, tenant, off, changedBy, reason }: SwitchShape): string {
  const what = [kind, name].filter((part) => part !== undefined).join(' ');
  const whose = tenant === '*' ? 'all tenants' : `tenant ${tenant}`;
  return `${off ? colors.red('killed') : colors.green('alive')} ${colors.bold(what)} ${colors.dim(`of ${whose}, by ${changedBy}${reason === '' ? '' : `: ${reason}`}`)}`;
}

async function allSwitches(tenant: string | undefined): Promise<readonly SwitchShape[]> {
  const client = new GatewayClient(connection());
  const found: SwitchShape[] = [];
  for (let cursor = ''; ;) {
    const query = new URLSearchParams({ limit: '200', ...(tenant === undefined ? {} : { tenant }), ...(cursor === '' ? {} : { cursor }) });
    const { body } = await client.call<{ switches: readonly SwitchShape[]; nextCursor: string }>(`/v1/switches?${query.toString()}`);
    found.push(...body.switches);
    if (body.nextCursor === '') return found;
    cursor = body.nextCursor;
  }
}
