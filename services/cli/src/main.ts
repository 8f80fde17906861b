// The weft command.
import { Refused } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { Command, CommanderError } from 'commander';
import { registerCommands } from './command-table.js';
import { CommandFailed, EXIT } from './exit-codes.js';
import { colors } from './output/print.js';

const VERSION = '0.1.0';

// The launcher's word to this command: Weft's processes would take it for a misspelt setting.
delete process.env['WEFT_ROOT'];

const program = new Command('weft')
  .description('Weft: publish one event, get its answer, prove what happened.')
  .version(VERSION)
  .exitOverride()
  .showHelpAfterError('Say `--help` for what there is.')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'weft: ')) })
  .addHelpText(
    'after',
    '\nStart with `./weft demo`, or `./weft up` and `./weft publish examples/complaint-triage/events/plain.json --wait`.\nExit codes: 0 done, 1 the answer is no, 2 the command line or a file is wrong, 69 something needed is not there, 130 interrupted.',
  );

await registerCommands(program, process.argv[2]);

// Whoever reads our output may stop reading, as `head` does: there is nobody left to tell.
process.stdout.on('error', (fault: NodeJS.ErrnoException) => process.exit(fault.code === 'EPIPE' ? EXIT.ok : EXIT.failed));

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = endingOf(thrown);
  // What was interrupted may be waiting still, for what has been stopped.
  if (process.exitCode === EXIT.interrupted) process.exit();
}

/** Says what went wrong in a sentence. @returns the exit code. */
function endingOf(thrown: unknown): number {
  // Help and version end this way too; what commander complains of, it has said already.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const say = (text: string): void => void process.stderr.write(`${colors.red('weft:')} ${text}\n`);
  if (thrown instanceof CommandFailed) {
    say(thrown.message);
    return thrown.exitCode;
  }
  if (thrown instanceof Refused || thrown instanceof Fault) {
    say(thrown.message);
    return EXIT.unavailable;
  }
  say(`Expected to do that but met an internal error: ${thrown instanceof Error ? thrown.message : String(thrown)}. With WEFT_DEBUG=1 it shows where.`);
  if (process.env['WEFT_DEBUG'] && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`);
  return EXIT.failed;
}
