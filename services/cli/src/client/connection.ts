// How commands find a running Weft: the environment, else the run file that `weft up` leaves.
import { existsSync, readFileSync } from 'node:fs';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inHome } from '../paths.js';

export interface Connection {
  /** Base address of the gateway. */
  readonly url: string;
  readonly apiKey: string;
}

/** What `weft up` writes while it runs. */
export interface RunFile extends Connection {
  readonly pid: number;
  readonly profile: 'standalone' | 'mesh';
  readonly startedAt: string;
}

export const runFilePath = (): string => inHome('run', 'weft.json');

/** The run file of a Weft that is alive, or undefined. */
export function readRunFile(): RunFile | undefined {
  const path = runFilePath();
  if (!existsSync(path)) return undefined;
  const file = JSON.parse(readFileSync(path, 'utf8')) as RunFile;
  return isAlive(file.pid) ? file : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Where to send requests. @throws CommandFailed when nothing runs and nothing is configured. */
export function connection(): Connection {
  const { WEFT_URL: url, WEFT_API_KEY: apiKey } = process.env;
  if (url) return { url: url.replace(/\/+$/, ''), apiKey: apiKey ?? readRunFile()?.apiKey ?? '' };
  const file = readRunFile();
  if (file) return { url: file.url, apiKey: apiKey ?? file.apiKey };
  throw new CommandFailed('Expected a running Weft but found none. Start one with `./weft up`, or set WEFT_URL and WEFT_API_KEY.', EXIT.unavailable);
}
