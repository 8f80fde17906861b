import { spawn } from 'node:child_process';
import { ROOT } from '../paths.js';

export interface ChildOptions {
  /** Default: the root of the checkout. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The child is ended after this time; its code is then -1. */
  readonly timeoutMs: number;
  /** Ends the child too. */
  readonly signal: AbortSignal;
}

export interface ChildResult {
  /** Exit code; -1 when it could not be started, or was ended by a signal or the time limit. */
  readonly code: number;
  readonly stdout: string;
  /** Standard output and error, interleaved. */
  readonly output: string;
}

const KILL_AFTER_MS = 20_000;

// What a program leaves running may keep its output open; the program itself has ended.
const PIPES_MS = 2_000;

/** Runs a program to its end and keeps what it says. Never rejects. Ending it ends what it started, too. */
export function runChild(file: string, args: readonly string[], { cwd = ROOT, environment = {}, timeoutMs, signal }: ChildOptions): Promise<ChildResult> {
  return new Promise((resolve) => {
    let stdout = '';
    let output = '';
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment }, detached: true });
    // The whole group: a session of its own is what only servers have, and those are found again by the next start.
    const kill = (name: 'SIGTERM' | 'SIGKILL'): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // It has ended.
      }
    };
    const end = (why: string): void => {
      output += `\n(${why})\n`;
      kill('SIGTERM');
      killTimer = setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS);
    };
    let killTimer: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => end(`ended after ${timeoutMs / 1000} s, the time it may take`), timeoutMs);
    const onAbort = (): void => end('interrupted');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const settle = (code: number, more = ''): void => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      signal.removeEventListener('abort', onAbort);
      resolve({ code, stdout, output: output + more });
    };
    child.once('error', (fault) => settle(-1, fault.message));
    child.once('close', (code) => settle(code ?? -1));
    child.once('exit', (code) => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        settle(code ?? -1);
      }, PIPES_MS).unref();
    });
  });
}
