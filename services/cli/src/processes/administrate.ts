// The administrative modes of the standalone program, which knows every service's schema.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import { logEntryOf, saying } from './child-log.js';

const LINES_KEPT = 12;

/**
 * Runs one of the modes to its end. @param onProgress told in sentences how far it is. @returns what it prints.
 * @throws CommandFailed with what it said last.
 */
export async function administrate(args: readonly string[], env: Readonly<Record<string, string>>, onProgress: (text: string) => void = () => undefined): Promise<string> {
  const child = spawn(process.execPath, [inRoot('services', 'standalone', 'dist', 'main.js'), ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const last: string[] = [];
  const tellLast = (): void => {
    const line = last.at(-1);
    if (line !== undefined && !logEntryOf(line)) onProgress(line);
  };
  createInterface({ input: child.stderr }).on('line', (line) => {
    // Held back by one: the very last line may be why it failed.
    tellLast();
    last.push(line);
    if (last.length > LINES_KEPT) last.shift();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const complaints = last.filter((line) => logEntryOf(line)?.level !== 'info');
  // Its own exit code for a refusal: the sentence alone says what to write instead.
  if (code === EXIT.usage) throw new CommandFailed(saying(complaints), EXIT.usage);
  if (code !== 0) throw new CommandFailed(`Expected \`${args[0]}\` to succeed but: ${saying(complaints) || `it ended with ${code ?? 'a signal'}`}`, EXIT.unavailable);
  tellLast();
  return printed;
}

/** What is known of a key that was just made. Its text is shown once. */
export interface MadeKey {
  readonly id: string;
  readonly tenant: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly key: string;
}

/** Makes an API key that acts for a person ('' = for itself) with roles. */
export async function createKeyFor(tenant: string, name: string, user: string, roles: readonly string[], env: Readonly<Record<string, string>>): Promise<MadeKey> {
  return JSON.parse(await administrate(['create-key', tenant, name, user, ...roles], env)) as MadeKey;
}

/** Makes an API key of the default tenant. @param name what the key is for. @returns the key's text. */
export async function createKey(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  return (await createKeyFor('default', name, '', [], env)).key;
}
