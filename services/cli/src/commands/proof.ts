// What the commands of `weft prove` share.
import { Option, type Command } from 'commander';
import { CommandFailed } from '../exit-codes.js';
import { printer, table } from '../output/print.js';
import { interruptible } from '../processes/interruption.js';
import { PROFILES } from '../processes/profile.js';
import { oneOf, wholeNumber } from './command.js';

const SEED_MAX = 2 ** 31;

/** What every proof is told. */
export interface Flags<P> {
  readonly seed: number;
  readonly plant: P;
  readonly json?: boolean;
}

export const withProfile = (command: Command): Command =>
  command.option('--profile <profile>', 'what is struck: standalone, the one process; mesh, one process a service', oneOf(PROFILES), 'standalone');

export const withCommon = (command: Command, plants: readonly string[], seedMeans: string): Command =>
  command
    .option('--seed <n>', seedMeans, wholeNumber(0, SEED_MAX), 1)
    .addOption(new Option('--plant <fault>', 'plant a fault that the proof must notice').choices(plants).default('none'))
    .option('--json', 'print one JSON line');

/** What a proof is told besides its flags. */
export interface Told {
  readonly onProgress: (text: string) => void;
  readonly told: Promise<never>;
}

/** Carries a proof out, prints its report, and fails when it is not clean. */
export async function carryOut(
  { json = false }: { readonly json?: boolean },
  proof: (told: Told) => Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }>,
): Promise<void> {
  const out = printer(json);
  const { report, clean } = await interruptible(out.progress, (told) => proof({ onProgress: out.progress, told }));
  out.data(report, () => table(Object.entries(report).map(([name, value]) => [name, textOf(value)])));
  if (!clean) throw new CommandFailed('The promise is broken: the counts above say how.');
}

const textOf = (value: unknown): string => (Array.isArray(value) ? value.join('\n') || 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value));
