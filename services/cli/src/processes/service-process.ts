// One service of the mesh as a process: started with its environment, ready when its health says so, restarted at will.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { WITH_PARENT } from './with-parent.js';

export interface ServiceOptions {
  readonly name: string;
  /** The script to run. */
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
  /** Base address of its health endpoints. */
  readonly url: string;
  readonly logFile: string;
}

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;

export class ServiceProcess {
  #child: ChildProcess | undefined;
  #exited: Promise<NodeJS.Signals | undefined> = Promise.resolve(undefined);

  constructor(readonly options: ServiceOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @param more settings of this life alone. */
  start(more: Readonly<Record<string, string>> = {}): void {
    const { main, env, logFile } = this.options;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a', 0o600);
    // In a group of its own, so that Ctrl-C reaches the command alone, which then drains it; its input closes when the command is gone.
    const child = spawn(process.execPath, ['--enable-source-maps', ...WITH_PARENT, main], { env: { ...process.env, ...env, ...more }, stdio: ['pipe', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal ?? undefined)));
    child.on('error', () => undefined);
  }

  /** Resolves when the life that was started last is over, with the signal that ended it, if one did. */
  get exited(): Promise<NodeJS.Signals | undefined> {
    return this.#exited;
  }

  /** Resolves when it takes work. @throws CommandFailed with the end of its log when it ends before, or takes too long. */
  async ready(): Promise<void> {
    const until = Date.now() + READY_MS_MAX;
    while (Date.now() < until) {
      if (!this.isRunning) throw this.#failed('it ended while it started');
      const response = await fetch(`${this.options.url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw this.#failed(`it was not ready within ${READY_MS_MAX / 1000} s`);
  }

  /** kill -9: nothing is drained. */
  async kill9(): Promise<void> {
    if (this.isRunning) this.#child!.kill('SIGKILL');
    await this.#exited;
  }

  /** Drains and ends it. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#child!.kill('SIGTERM');
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS_MAX);
    await this.#exited;
    clearTimeout(late);
  }

  #failed(what: string): CommandFailed {
    const log = readFileSync(this.options.logFile, 'utf8').trimEnd().split('\n').slice(-6).join('\n');
    return new CommandFailed(`Expected ${this.name} to start but ${what}. The end of ${this.options.logFile}:\n${log}`, EXIT.unavailable);
  }
}
