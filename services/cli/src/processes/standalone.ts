// All of Weft as one child process.
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import { followChild } from './child-log.js';
import { WITH_PARENT } from './with-parent.js';

/** A Weft that runs, of either profile. */
export interface RunningWeft {
  readonly url: string;
  readonly apiKey: string;
  /** Drains and ends it. */
  stop(): Promise<void>;
}

export interface RunningStandalone extends RunningWeft {
  readonly pid: number;
  /** Ends it the way a power cut does: nothing is drained, nothing said. */
  kill9(): Promise<void>;
  /** Lets it skip the time until its next timer from now on, where it is set up for that. */
  skipTime(): void;
  /** How it ended: resolves when it is gone. */
  readonly ended: Promise<{ readonly code: number | null; readonly says: string }>;
}

/** A call that was not made. */
export interface SimulatedCall {
  readonly kind: string;
  readonly pointer: string;
  /** Whether there was an answer for it: without one it failed. */
  readonly answered: boolean;
}

export interface StandaloneOptions {
  /** Settings besides those of this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** File that its log lines are added to. */
  readonly logFile: string;
  readonly onLine?: (line: string) => void;
  /** Told of each call that it answered from a file. */
  readonly onSimulated?: (call: SimulatedCall) => void;
  /** How long its start may take, in milliseconds. Default 60,000. */
  readonly readyMs?: number;
}

const MAIN = inRoot('services', 'standalone', 'dist', 'main.js');
const EXEC = ['--enable-source-maps', ...WITH_PARENT];
const READY_MS = 60_000;
// Longer than the drain of the process itself.
const STOP_MS = 30_000;

/** Starts it and waits until it takes requests. @throws CommandFailed with what it said last. */
export async function startStandalone({ env, logFile, onLine, onSimulated, readyMs = READY_MS }: StandaloneOptions): Promise<RunningStandalone> {
  const { child, log } = launch([], env, logFile, onLine);
  const ended = new Promise<{ code: number | null; says: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, says: log.tail() }));
    child.once('error', (fault) => resolve({ code: null, says: fault.message }));
  });
  const ready = new Promise<{ url: string; apiKey: string }>((resolve) => {
    child.on('message', (message) => {
      const { type, url, apiKey } = message as { type?: string; url?: string; apiKey?: string };
      if (type === 'ready' && url !== undefined && apiKey !== undefined) resolve({ url, apiKey });
    });
  });
  child.on('message', (message) => {
    if ((message as { readonly type?: string }).type === 'simulated') onSimulated?.(message as unknown as SimulatedCall);
  });
  const first = await withDeadline(Promise.race([ready, ended]), readyMs);
  if (first === undefined || 'says' in first) {
    child.kill('SIGKILL');
    const why = first === undefined ? `it was not ready after ${readyMs / 1_000} s` : `it ended (exit code ${first.code ?? 'none'})`;
    throw new CommandFailed(`Expected Weft to start but ${why}: ${log.tail() || 'it said nothing'}\nIts log is ${logFile}.`, EXIT.unavailable);
  }
  return {
    ...first,
    pid: child.pid!,
    skipTime: () => void child.send({ type: 'skip-time' }),
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      if ((await withDeadline(ended, STOP_MS)) === undefined) child.kill('SIGKILL');
      await ended;
    },
    kill9: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Brings the store up to date. @returns what was applied, by service. @throws CommandFailed with what went wrong. */
export async function migrateStore({ env, logFile, onLine }: Omit<StandaloneOptions, 'readyMs'>): Promise<Readonly<Record<string, readonly string[]>>> {
  const lines: string[] = [];
  const { child, log } = launch(['migrate'], env, logFile, (line) => {
    lines.push(line);
    onLine?.(line);
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  if (code !== 0) throw new CommandFailed(`Expected the store to be brought up to date but it was not: ${log.tail()}`, EXIT.unavailable);
  return appliedIn(lines);
}

function appliedIn(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const line = lines.findLast((text) => text.startsWith('{"applied"'));
  return line === undefined ? {} : (JSON.parse(line) as { applied: Record<string, readonly string[]> }).applied;
}

function launch(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  logFile: string,
  onLine: ((line: string) => void) | undefined,
): { child: ChildProcess; log: ReturnType<typeof followChild> } {
  if (!existsSync(MAIN)) throw new CommandFailed(`Expected Weft to be built but ${MAIN} is missing. Start the command as ./weft, which builds.`, EXIT.unavailable);
  // A session of its own: Ctrl-C reaches this command alone, which then lets Weft drain.
  const child = fork(MAIN, args, { env: childEnvironment(env), stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true, execArgv: EXEC });
  return { child, log: followChild(logFile, [child.stdout, child.stderr], onLine) };
}

/** Our environment with the settings. What is for this command alone is no setting of Weft. */
function childEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { WEFT_ROOT: _root, WEFT_URL: _url, WEFT_API_KEY: _key, ...own } = process.env;
  return { ...own, ...env };
}

async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const abort = new AbortController();
  const late = sleep(ms, undefined, { signal: abort.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
  }
}
