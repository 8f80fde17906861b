// What every command shares: its options, its examples and how its fault ends the process.
import { InvalidArgumentError, type Command } from 'commander';
import { readFileSync, writeFileSync } from 'node:fs';
import { CommandFailed, EXIT } from '../exit-codes.js';

/** Puts examples under a command's help: `[what to type, what it does]`. */
export function withExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  return command.addHelpText('after', `\nExamples:\n${examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')}`);
}

/** Reads an option that is a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** Reads an option that is one of some words. */
export function oneOf<W extends string>(words: readonly W[]): (text: string) => W {
  return (text) => {
    const word = words.find((known) => known === text);
    if (word === undefined) throw new InvalidArgumentError(`Expected ${words.join(' or ')}.`);
    return word;
  };
}

/** The text of a file that the command line names; `-` is standard input. @throws CommandFailed usage. */
export function readInput(file: string, what: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (fault) {
    const code = (fault as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String((fault as Error).message);
    throw new CommandFailed(`Expected ${what} in ${file} but ${why}.`, EXIT.usage);
  }
}

/** Writes a file that the command line names. @throws CommandFailed usage. */
export function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (fault) {
    const code = (fault as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'its folder is not there' : code === 'EISDIR' ? 'it is a folder' : String((fault as Error).message);
    throw new CommandFailed(`Expected to write ${file} but ${why}.`, EXIT.usage);
  }
}

/** The gateway judges an event; that it is JSON at all is said before anything is sent. @throws CommandFailed usage. */
export function checkEvent(text: string, file: string): void {
  try {
    JSON.parse(text);
  } catch (fault) {
    throw new CommandFailed(`Expected a CloudEvent as JSON in ${file} but it is not JSON: ${(fault as Error).message}.`, EXIT.usage);
  }
}
