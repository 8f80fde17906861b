import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface CommandResult {
  /** Exit code; -1 when the command could not be started or was ended by a signal. */
  readonly code: number;
  /** Standard output and error, interleaved. */
  readonly output: string;
}

/** Runs a command to its end. Never rejects. */
export function runCommand(
  file: string,
  args: readonly string[],
  { timeoutMs = 30_000, environment = {} }: { readonly timeoutMs?: number; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = started(file, args, timeoutMs, environment);
    if (child instanceof Error) return resolve({ code: -1, output: child.message });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (fault) => resolve({ code: -1, output: fault.message }));
    child.once('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

// Some faults of starting come as an event, others (a path through a file) are thrown.
function started(file: string, args: readonly string[], timeout: number, environment: Readonly<Record<string, string>>) {
  try {
    return spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout, env: { ...process.env, ...environment } });
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

/** The full path of a command on PATH, or undefined. */
export async function findCommand(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return undefined;
}

/** The last lines of a text, for messages. */
export const lastLines = (text: string, count = 3): string => text.trim().split('\n').slice(-count).join(' | ').slice(0, 600);

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
