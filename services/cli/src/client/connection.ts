// How commands find a running Weft: the environment, else the run file that `weft up` leaves.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inHome } from '../paths.js';

export interface Connection {
  /** Base address of the gateway. */
  readonly url: string;
  readonly apiKey: string;
}

/** What `weft up` writes while it runs. */
export interface RunFile extends Connection {
  /** The command that runs Weft: SIGTERM lets it end everything. */
  readonly pid: number;
  /** Weft's own process, in the standalone profile: what is left when the command was killed. */
  readonly weftPid?: number;
  readonly profile: 'standalone' | 'mesh';
  readonly startedAt: string;
}

export const runFilePath = (): string => inHome('run', 'weft.json');

/** The run file of a Weft that is alive, or undefined. */
export function readRunFile(): RunFile | undefined {
  const file = lastRunFile();
  return file && (isAlive(file.pid) || (file.weftPid !== undefined && isAlive(file.weftPid))) ? file : undefined;
}

/** The run file of the last start, whether or not it still runs. */
export function lastRunFile(): RunFile | undefined {
  try {
    return JSON.parse(readFileSync(runFilePath(), 'utf8')) as RunFile;
  } catch {
    // Missing, or cut off by a crash: nothing is known to run.
    return undefined;
  }
}

/** Leaves word of a Weft that runs, for its owner alone: the key is in it. */
export function writeRunFile(file: RunFile): void {
  const path = runFilePath();
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(file)}\n`, { mode: 0o600 });
}

export const removeRunFile = (): void => rmSync(runFilePath(), { force: true });

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
