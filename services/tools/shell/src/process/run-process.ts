// One process outside: in a folder of its own that goes with it, with an environment of its own, bounded in time and in what it writes.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rejection, type Failure } from '@weft/kernel';
import { killTree, MARK } from './process-tree.js';
import type { ProcessEnd } from './process-work.js';

/** Bytes that a process may write to stdout, and to stderr. */
export const OUTPUT_BYTES_MAX = 256 * 1024;

export interface OutsideProcess {
  /** The program and its arguments; no shell comes between. */
  readonly command: readonly string[];
  /** What it gets of the variables of this process, such as PATH. HOME and TMPDIR are its folder; nothing else is handed on. */
  readonly inherited: { readonly [name: string]: string };
  readonly environment: { readonly [name: string]: string };
  readonly stdin: string;
  readonly timeoutMs: number;
  /** Ends it at once, with all that it has begun. */
  readonly signal: AbortSignal | undefined;
}

/** Runs a process to its end. Never rejects. Failure codes: `timeout`, `output-invalid` (it wrote too much), `process-failed`, `not-configured` (it cannot be started), `input-invalid` (with what it is given). */
export async function runProcess(outside: OutsideProcess): Promise<ProcessEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-run-'));
  try {
    return await begun(outside, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function begun(outside: OutsideProcess, folder: string): Promise<ProcessEnd> {
  let running: RunningProcess;
  try {
    running = new RunningProcess(outside, folder);
  } catch (error) {
    // Its words may repeat an argument, which may be a secret.
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === 'E2BIG' ? 'its arguments and its environment are longer than this system takes: give what is long as its input' : `this system refuses it with ${code ?? 'an error'}`;
    return failed(rejection('input-invalid', `Expected a process that can be started but ${problem}.`));
  }
  return running.end;
}

class RunningProcess {
  readonly end: Promise<ProcessEnd>;
  readonly #mark = randomUUID();
  readonly #child: ChildProcess;
  #failure: Failure | undefined;

  constructor({ command: [program = '', ...args], inherited, environment, stdin, timeoutMs, signal }: OutsideProcess, folder: string) {
    const env = { ...inherited, HOME: folder, TMPDIR: folder, ...environment, [MARK]: this.#mark };
    const child = spawn(program, args, { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    const stdout = this.#collected(child.stdout);
    const stderr = this.#collected(child.stderr);
    const timer = setTimeout(() => this.#kill(rejection('timeout', `Expected the process to end within ${timeoutMs} ms but it did not.`)), timeoutMs);
    const stop = (): void => this.#kill(rejection('process-failed', 'Expected the process to end by itself but it was stopped.'));
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    this.end = new Promise<ProcessEnd>((resolve) => {
      child.once('error', (error) => resolve(failed(rejection('not-configured', `Expected ${program} to start but it cannot: ${error.message}.`))));
      // What it began does not outlive it, nor keep its pipes open.
      child.once('exit', () => killTree(child.pid, this.#mark));
      child.once('close', (code, by) => {
        if (this.#failure) return resolve(failed(this.#failure));
        if (code === null) return resolve(failed(rejection('process-failed', `Expected the process to end by itself but it was ended by ${by}.`)));
        resolve({ ok: true, result: { code, stdout: stdout(), stderr: stderr() } });
      });
    }).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    });
    // One that does not read its input, or has gone, leaves the pipe broken.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
  }

  #collected(stream: NodeJS.ReadableStream | null): () => string {
    const pieces: Buffer[] = [];
    let bytes = 0;
    stream?.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > OUTPUT_BYTES_MAX) return this.#kill(rejection('output-invalid', `Expected the process to write at most ${OUTPUT_BYTES_MAX} bytes but it wrote more.`));
      pieces.push(piece);
    });
    return () => Buffer.concat(pieces).toString('utf8').replaceAll('\u0000', '\uFFFD');
  }

  #kill(failure: Failure): void {
    this.#failure ??= failure;
    killTree(this.#child.pid, this.#mark);
  }
}

const failed = (failure: Failure): ProcessEnd => ({ ok: false, failure });
