// The administrative modes of the standalone program, which knows every service's schema.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';

/** Runs one of the modes to its end. @returns what it prints. */
export async function administrate(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [inRoot('services', 'standalone', 'dist', 'main.js'), ...args], { env: { ...process.env, ...env } });
    return stdout;
  } catch (fault) {
    throw new CommandFailed(`Expected \`${args[0]}\` to succeed but: ${(fault as { stderr?: string }).stderr?.trim() || (fault as Error).message}`, EXIT.unavailable);
  }
}

/** Makes an API key of the default tenant. @param name what the key is for. @returns the key's text. */
export async function createKey(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  return (JSON.parse(await administrate(['create-key', 'default', name], env)) as { key: string }).key;
}
