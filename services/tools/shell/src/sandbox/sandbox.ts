// Scripts in processes of their own: a bounded number, one kept ready, each for one tenant only.
import { rejection, type Failure, type Json } from '@weft/kernel';
import { forbidden } from '@weft/contracts';
import { Gate } from '../carry-out/gate.js';
import { SANDBOX_MAIN, SandboxProcess, type RunEnd } from './sandbox-process.js';

/** Bytes of a script's source, in UTF-8. */
export const SOURCE_BYTES_MAX = 64 * 1024;
/** Bytes of a script's input, and of its output, as JSON. */
export const SCRIPT_JSON_BYTES_MAX = 256 * 1024;

export interface Script {
  /** Scripts of one tenant may follow each other in a process; those of two never do. */
  readonly tenant: string;
  /** Body of a function of `input`: `return {...}` gives its output. It may return a promise. */
  readonly source: string;
  readonly input: Json;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
}

export type ScriptResult = { readonly ok: true; readonly output: Json; readonly logs: readonly string[] } | { readonly ok: false; readonly failure: Failure; readonly logs: readonly string[] };

interface Idle {
  readonly process: SandboxProcess;
  /** Undefined: nothing has run in it. */
  readonly tenant?: string;
}

export class Sandbox {
  readonly #gate: Gate;
  #idle: readonly Idle[] = [];
  #isClosed = false;

  /** @param processesMax scripts that run at once. @param main the program of a process, built. */
  constructor(
    private readonly processesMax: number,
    private readonly main = SANDBOX_MAIN,
  ) {
    this.#gate = new Gate(processesMax);
  }

  /** Starts a process before it is needed. */
  warm(): void {
    if (!this.#isClosed && this.#idle.length === 0) this.#idle = [{ process: new SandboxProcess(this.main) }];
  }

  /** Runs a script. Never rejects: failure codes `timeout`, `script-failed`, `output-invalid`, `input-invalid`. */
  async run(script: Script): Promise<ScriptResult> {
    const input = JSON.stringify(script.input);
    if (Buffer.byteLength(input) > SCRIPT_JSON_BYTES_MAX)
      return { ok: false, failure: rejection('input-invalid', `Expected arguments of a script of at most ${SCRIPT_JSON_BYTES_MAX} bytes but they are longer.`), logs: [] };
    const { source, timeoutMs, memoryBytes, tenant, signal } = script;
    const end = await this.#gate.run(async () => {
      const process = this.#take(tenant);
      const ended = await process.run({ source, input, timeoutMs, memoryBytes, outputBytesMax: SCRIPT_JSON_BYTES_MAX }, signal);
      // Whoever met a limit may have left its process without the memory for another script.
      if (ended.kind === 'returned' || ended.kind === 'threw') await this.#giveBack(process, tenant);
      else await process.kill();
      return ended;
    });
    return resultOf(end, script);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const idle = this.#idle;
    this.#idle = [];
    await Promise.all(idle.map(({ process }) => process.kill()));
  }

  #take(tenant: string): SandboxProcess {
    const found = this.#idle.find((one) => one.process.isUsable && one.tenant === tenant) ?? this.#idle.find((one) => one.process.isUsable && one.tenant === undefined);
    this.#idle = this.#idle.filter((one) => one !== found);
    return found?.process ?? new SandboxProcess(this.main);
  }

  async #giveBack(process: SandboxProcess, tenant: string): Promise<void> {
    if (!process.isUsable || this.#isClosed) return process.kill();
    const [oldest] = this.#idle;
    this.#idle = [...this.#idle, { process, tenant }];
    if (this.#idle.length <= this.processesMax || !oldest) return;
    this.#idle = this.#idle.filter((one) => one !== oldest);
    await oldest.process.kill();
  }
}

function resultOf(end: RunEnd, { timeoutMs, memoryBytes }: Script): ScriptResult {
  const failed = (failure: Failure, logs: readonly string[] = []): ScriptResult => ({ ok: false, failure, logs });
  switch (end.kind) {
    case 'returned': {
      const output = JSON.parse(end.output) as Json;
      const problem = forbidden(output, '', 0);
      return problem === undefined ? { ok: true, output, logs: end.logs } : failed(rejection('output-invalid', `Expected an output of the script that can be used but ${problem}.`), end.logs);
    }
    case 'threw':
      return failed(rejection('script-failed', `Expected the script to return but ${end.message}.`), end.logs);
    case 'timeout':
    case 'killed':
      return failed(rejection('timeout', `Expected the script to return within ${timeoutMs} ms but it did not.`));
    case 'memory':
      return failed(rejection('script-failed', `Expected the script to need at most ${memoryBytes} bytes of memory but it wanted more.`));
    case 'output':
      return failed(rejection('output-invalid', `Expected an output of the script of at most ${SCRIPT_JSON_BYTES_MAX} bytes but it is longer.`));
    case 'died':
      return failed(rejection('script-failed', 'Expected the script to return but its process ended.'));
  }
}
