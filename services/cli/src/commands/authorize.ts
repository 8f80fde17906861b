import type { Json } from '@weft/kernel';
import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer } from '../output/print.js';
import { oneOf, withExamples } from './command.js';
import { jsonOption } from './json-option.js';

interface AuthorizationShape {
  readonly decision: 'allow' | 'deny' | 'ask';
  readonly code?: string;
  readonly message?: string;
  readonly reasons: readonly string[];
  readonly needed: readonly string[];
  readonly policies: readonly { readonly id: string; readonly effect: string; readonly place: string }[];
  readonly approval?: { readonly digest: string; readonly title: string; readonly subject: Json };
  readonly policyDigest: string;
}

interface AuthorizeFlags {
  readonly workflow: string;
  readonly kind: string;
  readonly agent?: string;
  readonly actor?: string;
  readonly purpose?: string;
  readonly arguments?: Json;
  readonly taint: readonly string[];
  readonly explain?: boolean;
  readonly json?: boolean;
}

const KINDS = ['tool', 'secret', 'http', 'openapi', 'grpc', 'asyncapi', 'mcp', 'a2a', 'script', 'shell', 'container', 'infer'] as const;

export function registerAuthorize(program: Command): void {
  const command = program
    .command('authorize')
    .description('Say what would be decided about a call, and why; nothing is done. Exits with 1 unless it is allowed')
    .argument('[target]', 'name of the tool, of the secret or of what is run, or id of the model; nothing for calls of endpoints')
    .requiredOption('--workflow <name>', 'namespace/name of the workflow that acts')
    .option('--kind <kind>', `one of ${KINDS.join(', ')}`, oneOf(KINDS), 'tool')
    .option('--agent <name>', 'the agent inside it that acts')
    .option('--actor <who>', 'on whose behalf, such as user:ann; default: this key')
    .option('--arguments <json>', 'arguments of the call, as JSON', jsonOption)
    .option('--taint <label>', 'label of something that the execution has seen; several times', (label: string, labels: readonly string[]) => [...labels, label], [])
    .option('--purpose <text>', 'purpose of the execution, such as the type of its request')
    .option('--explain', 'which policies decided, what would be needed, and what a person would be asked')
    .option('--json', 'print JSON')
    .action(async (target: string | undefined, { workflow, kind, agent, actor, arguments: args, taint, purpose, explain = false, json = false }: AuthorizeFlags) => {
      const body = {
        workflow,
        kind,
        tool: target ?? '',
        ...(agent ? { agent } : {}),
        ...(actor ? { actor } : {}),
        ...(args === undefined ? {} : { arguments: args }),
        taint,
        ...(purpose ? { purpose } : {}),
      };
      const { body: told } = await new GatewayClient(connection()).call<AuthorizationShape>('/v1/authorize', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      printer(json).data(told, () => authorizationText(told, explain));
      if (told.decision !== 'allow') throw new CommandFailed(told.decision === 'ask' ? 'A person would be asked first.' : 'It would be denied.', EXIT.failed);
    });
  withExamples(command, [
    ['./weft authorize send-reply --workflow examples/complaint-triage', 'may it?'],
    [`./weft authorize mail --workflow acme/support --arguments '{"to":"eve@evil.example"}' --explain`, 'with these arguments, and why'],
    ['./weft authorize mail --workflow acme/support --agent triager --taint private:tool:crm --taint tool:web', 'after the execution has seen both'],
    ['./weft authorize --kind http --workflow acme/support --json', 'call: http, for scripts'],
  ]);
}

function authorizationText({ decision, message, reasons, needed, policies, approval, policyDigest }: AuthorizationShape, explain: boolean): string {
  const word = { allow: colors.green('allowed'), deny: colors.red('denied'), ask: colors.yellow('a person is asked') }[decision];
  const lines = [colors.bold(word), ...(decision === 'ask' ? reasons : message === undefined ? [] : [message])];
  if (!explain) return lines.join('\n');
  return [
    ...lines,
    ...policies.map(({ id, effect, place }) => `${effect.padEnd(7)} ${id} ${colors.dim(place)}`),
    ...needed.map((one) => `needed  ${one}`),
    ...(approval === undefined ? [] : [`digest  ${approval.digest}`, colors.dim(JSON.stringify(approval.subject, null, 2))]),
    colors.dim(`policies ${policyDigest.slice(0, 16)}`),
  ].join('\n');
}
