// One process of the sandbox as its parent sees it: started with nothing, bounded from outside, killed when it is late.
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SandboxReply, SandboxRequest } from './sandbox-message.js';
import { walls } from './walls.js';

/** The program of a process. */
export const SANDBOX_MAIN = fileURLToPath(new URL('./sandbox.main.js', import.meta.url));
/** After its own deadline a script has this long to say so before its process is killed. */
const GRACE_MS = 150;
/** Scripts of one process: its limits of CPU time are for its whole life. */
const RUNS_MAX = 64;
const HEAP_MB = 96;
const READY_MS_MAX = 10_000;

/** The end of a process while a script was in it. */
export type RunEnd = SandboxReply | { readonly kind: 'killed' | 'died' };

export class SandboxProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #ready: Promise<boolean>;
  #told = '';
  #hear: (line: string) => void = () => undefined;
  #bytesMax = 4_096;
  #runs = 0;
  #isOver = false;

  constructor(main: string) {
    const node = [
      process.execPath,
      '--permission',
      ...readable(main).map((path) => `--allow-fs-read=${path}`),
      `--max-old-space-size=${HEAP_MB}`,
      '--disallow-code-generation-from-strings',
      '--no-addons',
      main,
    ];
    const [command = '', ...args] = [...walls().command, ...node];
    const child = spawn(command, args, { env: {}, cwd: dirname(main), stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      const over = (): void => {
        this.#isOver = true;
        resolve();
      };
      child.once('close', over);
      child.once('error', over);
    });
    child.stdin?.on('error', () => undefined);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.#ready = this.#line(READY_MS_MAX).then((line) => line !== undefined);
  }

  /** Whether it may be given another script. */
  get isUsable(): boolean {
    return !this.#isOver && this.#runs < RUNS_MAX;
  }

  /** Runs one script. A process takes one at a time. Afterwards it is usable, or gone. @param signal kills it. */
  async run(request: SandboxRequest, signal?: AbortSignal): Promise<RunEnd> {
    this.#runs++;
    const stop = (): void => void this.#child.kill('SIGKILL');
    signal?.addEventListener('abort', stop, { once: true });
    // What was called off while it waited for a process is not begun.
    if (signal?.aborted) stop();
    try {
      return await this.#run(request);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #run(request: SandboxRequest): Promise<RunEnd> {
    if (!(await this.#ready)) {
      await this.kill();
      return { kind: 'died' };
    }
    // A JSON text within a JSON text, and what the script wrote.
    this.#bytesMax = request.outputBytesMax * 2 + 65_536;
    const reply = this.#line(request.timeoutMs + GRACE_MS);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const line = await reply;
    if (line === undefined) {
      const wasOver = this.#isOver;
      await this.kill();
      return { kind: wasOver ? 'died' : 'killed' };
    }
    const answer = replyIn(line);
    // Its program writes one line of one form: a process that writes anything else is not its own master any more.
    if (answer !== undefined && this.#told === '') return answer;
    await this.kill();
    return { kind: 'died' };
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** The next line; undefined when the process ends, is late, or says too much. */
  #line(waitMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), waitMs);
      this.#hear = (line) => {
        clearTimeout(timer);
        resolve(line);
      };
      void this.#ended.then(() => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }

  #take(text: string): void {
    this.#told += text;
    if (this.#told.length > this.#bytesMax) return void this.#child.kill('SIGKILL');
    const end = this.#told.indexOf('\n');
    if (end < 0) return;
    const line = this.#told.slice(0, end);
    this.#told = this.#told.slice(end + 1);
    this.#hear(line);
  }
}

/** A line as the reply that the program writes; undefined when it is none. */
function replyIn(line: string): SandboxReply | undefined {
  try {
    const reply = JSON.parse(line) as Partial<Record<string, unknown>> | null;
    const hasLogs = Array.isArray(reply?.['logs']) && reply['logs'].every((text) => typeof text === 'string');
    const isReply =
      ['timeout', 'memory', 'output'].includes(String(reply?.['kind'])) ||
      (reply?.['kind'] === 'threw' && typeof reply['message'] === 'string' && hasLogs) ||
      (reply?.['kind'] === 'returned' && typeof reply['output'] === 'string' && JSON.parse(reply['output']) !== undefined && hasLogs);
    return isReply ? (reply as unknown as SandboxReply) : undefined;
  } catch {
    return undefined;
  }
}

/** What the process has to read: itself, and the packages of the interpreter. */
function readable(main: string): readonly string[] {
  const own = dirname(main);
  const [core, variant] = ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync'].map((name) => fileURLToPath(import.meta.resolve(name)));
  const types = createRequire(core!).resolve('@jitl/quickjs-ffi-types');
  return [own, ...[core!, variant!, types].map((file) => dirname(dirname(file)))].map((folder) => join(folder, '*'));
}
