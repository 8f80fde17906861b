// `weft effects`: what the ledger knows of everything that was done outside.
import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { listEffects, showEffect, type EffectDetailShape, type EffectsAsked, type EffectShape } from '../client/tools.js';
import { colors, printer, table } from '../output/print.js';
import { oneOf, wholeNumber, withExamples } from './command.js';

const STATES = ['dispatched', 'confirmed', 'failed', 'unknown'] as const;

export function registerEffects(program: Command): void {
  const effects = program
    .command('effects')
    .description('List the effects that the ledger knows: what was done outside, whether it happened, and who says so')
    .option('--state <state>', `only those that are ${STATES.join(', ')}`, oneOf(STATES))
    .option('--execution <id>', 'only those of one execution')
    .option('--tool <name>', 'only those of one tool')
    .option('--limit <n>', 'how many, 1 to 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'go on from an earlier page')
    .option('--json', 'print JSON')
    .action(async ({ json = false, ...asked }: EffectsAsked & { json?: boolean }) => {
      const page = await listEffects(new GatewayClient(connection()), asked);
      printer(json).data(page, () => pageText(page.effects, page.nextCursor));
    });
  withExamples(effects, [
    ['./weft effects --state unknown', 'what nobody knows the outcome of'],
    ['./weft effects --execution 0198c0de-...', 'everything that one execution did outside'],
  ]);

  const show = effects
    .command('show')
    .description('Show one effect: every decision about it, what was asked for and what came back')
    .argument('<key>', 'its idempotency key')
    .option('--json', 'print JSON')
    .action(async (key: string, { json = false }: { json?: boolean }) => {
      const effect = await showEffect(new GatewayClient(connection()), key);
      printer(json).data(effect, () => detailText(effect));
    });
  withExamples(show, [['./weft effects show "default/0198c0de-.../do/3/send/0"', 'attempts, and who settled it']]);
}

const COLOR: Readonly<Record<string, (text: string) => string>> = { confirmed: colors.green, failed: colors.red, unknown: colors.yellow, dispatched: colors.cyan };
const stateText = (state: string): string => (COLOR[state] ?? ((text: string) => text))(state);

function pageText(effects: readonly EffectShape[], nextCursor: string): string {
  if (effects.length === 0) return colors.dim('no effects');
  const rows = effects.map(({ key, tool, state, attempts, settledBy = '', recordedAt }) => [
    colors.bold(tool),
    stateText(state),
    `${attempts} attempt${attempts === 1 ? '' : 's'}`,
    settledBy,
    recordedAt ?? '',
    colors.dim(key),
  ]);
  return [table(rows), ...(nextCursor === '' ? [] : [colors.dim(`more: --cursor ${nextCursor}`)])].join('\n');
}

function detailText(effect: EffectDetailShape): string {
  const facts: (readonly [string, string])[] = [
    ['state', `${stateText(effect.state)}${effect.settledBy === undefined ? '' : ` by ${effect.settledBy}`}${effect.person === undefined ? '' : ` (${effect.person})`}`],
    ['class', effect.effect],
    ['execution', effect.executionId],
    ['task', `${effect.task}${effect.iteration === undefined ? '' : ` iteration ${effect.iteration}`}`],
    ['generation', String(effect.generation)],
  ];
  const steps = effect.steps.map(({ what, at, attempt, by, person }) => [
    `  ${at ?? ''}`,
    what,
    [attempt === undefined ? '' : `attempt ${attempt}`, by === undefined ? '' : `by ${by}`, person ?? ''].filter((part) => part !== '').join(', '),
  ]);
  return [`${colors.bold(effect.tool)} ${colors.dim(effect.key)}`, table(facts), table(steps), `request  ${JSON.stringify(effect.request)}`, `response ${JSON.stringify(effect.response)}`].join('\n');
}
