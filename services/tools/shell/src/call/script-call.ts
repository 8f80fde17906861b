// `run: script` made ready: JavaScript in the sandbox, Python where the operator names an interpreter.
import { rejection, type Failure } from '@weft/kernel';
import { readScriptRun, type ScriptRun, type Target } from '@weft/tools/core';
import { processWork, type ProcessEnd, type ProcessPorts } from '../process/process-work.js';
import { runProcess } from '../process/run-process.js';
import { SOURCE_BYTES_MAX, type Sandbox } from '../sandbox/sandbox.js';
import { SCRIPT_PROGRAM, scriptInput, scriptResult } from '../sandbox/script-program.js';
import { walls } from '../sandbox/walls.js';
import { notMakeable, type CallMaker } from './call-making.js';
import type { Resources } from './resources.js';

export interface ScriptPorts extends ProcessPorts {
  readonly sandbox: Sandbox;
  readonly resources: Resources;
  /** Command of the Python interpreter; undefined: Python is refused. */
  readonly python: string | undefined;
  readonly scriptTimeoutMs: number;
}

const MEMORY_BYTES = 64 * 1024 * 1024;

export const PYTHON_MISSING: Failure = rejection(
  'not-configured',
  'Expected a script in JavaScript but it is in Python, which this Weft does not run: set WEFT_RUN_PYTHON to the command of an interpreter.',
);

/** The sandbox reaches nothing outside: a script in it changes nothing, and may be run twice. */
const targetOf = (run: ScriptRun | undefined): Target => ({ action: 'script', program: run?.language ?? '', effect: run?.language === 'python' ? 'non-idempotent-write' : 'read' });

export function scriptCalls(ports: ScriptPorts): CallMaker {
  return async (job, args) => {
    const read = readScriptRun(args);
    const on = targetOf(read.ok ? read.value : undefined);
    if (!read.ok) return notMakeable(on, read.failure);
    const run = read.value;
    if (run.language === 'python' && ports.python === undefined) return notMakeable(on, PYTHON_MISSING);
    const source = typeof run.code === 'string' ? { ok: true as const, text: run.code } : await ports.resources.textOf(job, run.code);
    if (!source.ok) return notMakeable(on, source.failure);
    if (Buffer.byteLength(source.text) > SOURCE_BYTES_MAX) return notMakeable(on, rejection('input-invalid', `Expected a script of at most ${SOURCE_BYTES_MAX} bytes but it is longer.`));
    const { python } = ports;
    return {
      on,
      made: {
        ok: true,
        work: processWork(ports, job, {
          kind: 'script',
          effect: run.language === 'python' ? 'non-idempotent-write' : 'read',
          timeoutMs: ports.scriptTimeoutMs,
          input: run,
          run: (timeoutMs, signal) =>
            run.language === 'python'
              ? runProcess({ ...run, command: pythonCommand(python!, source.text, run.arguments), inherited: ports.inherited, timeoutMs, signal })
              : runJavaScript(ports.sandbox, job.context?.tenant ?? '', source.text, run, timeoutMs, signal),
        }),
      },
    };
  };
}

async function runJavaScript(sandbox: Sandbox, tenant: string, code: string, run: ScriptRun, timeoutMs: number, signal: AbortSignal | undefined): Promise<ProcessEnd> {
  const ran = await sandbox.run({ tenant, source: SCRIPT_PROGRAM, input: scriptInput(code, run), timeoutMs, memoryBytes: MEMORY_BYTES, ...(signal ? { signal } : {}) });
  if (!ran.ok) return { ok: false, failure: ran.failure };
  const result = scriptResult(ran.output);
  return result ? { ok: true, result } : { ok: false, failure: rejection('script-failed', 'Expected the script to end as a program does but it has replaced what its program needs.') };
}

/** Behind the walls of the sandbox as far as the machine has them. The code comes as an argument: nothing of it is written anywhere. */
const pythonCommand = (python: string, code: string, args: readonly string[]): readonly string[] => [...walls().command, python, '-I', '-c', code, ...args];
