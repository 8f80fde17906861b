import type { Command } from 'commander';
import { proveStreams } from '../prove/streams.js';
import { STREAM_PLANTS, type StreamPlant } from '../prove/streams-plants.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, type Flags } from './proof.js';

export function registerStreams(prove: Command): void {
  const command = prove
    .command('streams')
    .description('Answers that stream break in every way, before and after the first token, under every policy: each behaves as declared and is billed once')
    .option('--rounds <n>', 'times that each break is played under each policy; 72 chats a round', wholeNumber(1, 100), 2)
    .option('--benign <n>', 'chats whose model does not break', wholeNumber(1, 10_000), 150);
  withCommon(command, STREAM_PLANTS, 'begins the ids of chats')
    .addHelpText('after', '\nThe models are scripted, in a process of their own that writes down what it was asked and what it sent; the judge imports nothing of Weft.')
    .action((flags: Flags<StreamPlant> & { readonly rounds: number; readonly benign: number }) => carryOut(flags, (told) => proveStreams({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove streams', 'the whole matrix twice'],
    ['./weft prove streams --rounds 1 --benign 20 --json', 'once; one JSON line'],
    ['./weft prove streams --plant silent-restart', 'must fail: an answer begins anew and nobody is told'],
  ]);
}
