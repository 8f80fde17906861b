import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { colors, printer } from '../output/print.js';
import { wholeNumber, withExamples } from './command.js';

/** An entry of the catalogue as the gateway shows it. */
interface ModelShape {
  readonly id: string;
  readonly owned_by: string;
  readonly model: string;
  readonly dialect: string;
  readonly simulated: boolean;
  readonly capabilities: readonly string[];
  readonly contextTokens?: number;
  readonly tier?: string;
  readonly pricePerMillionTokens?: { readonly input: number; readonly output: number };
  readonly limits?: { readonly [what: string]: number };
  readonly digest: string;
  readonly use: string;
}

interface ModelPage {
  readonly data: readonly ModelShape[];
  readonly has_more: boolean;
  readonly last_id: string | null;
  readonly tableVersion: string;
}

export function registerModels(program: Command): void {
  const models = program
    .command('models')
    .description('List the model catalogue, with what each model can do, costs and is used by')
    .option('--limit <n>', 'how many, 1 to 1000', wholeNumber(1, 1_000), 100)
    .option('--after <id>', 'those behind this one')
    .option('--json', 'print JSON')
    .action(async ({ limit, after, json = false }: { limit: number; after?: string; json?: boolean }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(after === undefined ? {} : { after }) });
      const { body } = await new GatewayClient(connection()).call<ModelPage>(`/v1/models?${query}`);
      printer(json).data(body, () => (body.data.length === 0 ? colors.dim('the catalogue is empty') : [...body.data.map(modelText), ...more(body)].join('\n')));
    });
  withExamples(models, [
    ['./weft models', 'every model, and the routes that use it'],
    ['./weft models --json | jq -r \'.data[] | select(.capabilities | index("tools")) | .id\'', 'those that can call tools'],
  ]);
}

const more = ({ has_more, last_id }: ModelPage): readonly string[] => (has_more ? [colors.dim(`more: ./weft models --after ${last_id}`)] : []);

function modelText({ id, model, owned_by, dialect, simulated, capabilities, contextTokens, tier, pricePerMillionTokens: price, limits = {}, use }: ModelShape): string {
  const facts = [
    `${model} at ${owned_by} (${dialect}${simulated ? ', simulated' : ''})`,
    ...(capabilities.length > 0 ? [capabilities.join(' ')] : []),
    ...(contextTokens === undefined ? [] : [`${contextTokens} tokens`]),
    price ? `${price.input} + ${price.output} per million tokens` : 'no price',
    ...(tier === undefined ? [] : [`tier ${tier}`]),
    ...Object.entries(limits).map(([what, limit]) => `${what} ${limit}`),
  ];
  return `${colors.bold(id)}  ${facts.join(', ')}  ${colors.dim(use)}`;
}
