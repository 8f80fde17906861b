// A workflow document from a file: YAML or JSON as it is, TypeScript and JavaScript by what they build.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { fileURLToPath } from 'node:url';
import { readInput } from '../commands/command.js';
import { CommandFailed, EXIT } from '../exit-codes.js';

const PROGRAM = /\.[cm]?[jt]s$/;
const MAIN = fileURLToPath(new URL('./build-workflow.main.js', import.meta.url));
const BUILD_MS_MAX = 30_000;
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

/** Whether a file is a program that builds a workflow, by its name. */
export const isProgram = (file: string): boolean => PROGRAM.test(file);

/** The text of the document that a file holds or builds; `-` is standard input. @throws CommandFailed usage. */
export function readDocument(file: string): string {
  return isProgram(file) ? stringify(builtBy(file)) : readInput(file, 'a workflow document');
}

/** What the default export of a program builds. It runs in a process of its own: what it prints and how it ends concern nobody else. */
function builtBy(file: string): object {
  if (!existsSync(file)) throw new CommandFailed(`Expected a workflow in ${file} but there is no such file.`, EXIT.usage);
  try {
    const options = { encoding: 'utf8', timeout: BUILD_MS_MAX, maxBuffer: TEXT_BYTES_MAX, stdio: 'pipe' } as const;
    return JSON.parse(execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, resolve(file)], options)) as object;
  } catch (fault) {
    const { stderr = '', code } = fault as { readonly stderr?: string; readonly code?: string };
    const why = code === 'ETIMEDOUT' ? `it took longer than ${BUILD_MS_MAX / 1_000} s` : stderr.trim() || (fault as Error).message;
    throw new CommandFailed(`Expected ${file} to build a workflow but ${why}`, EXIT.usage);
  }
}
