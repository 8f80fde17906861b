// `run: shell` made ready, where the operator lets commands run.
import { rejection, type Failure, type Json } from '@weft/kernel';
import { readShellRun, type Target } from '@weft/tools/core';
import { processWork, type ProcessPorts } from '../process/process-work.js';
import { runProcess } from '../process/run-process.js';
import { notMakeable, type CallMaker } from './call-making.js';

export interface ShellPorts extends ProcessPorts {
  /** Path of the shell; undefined: commands are refused. */
  readonly shell: string | undefined;
  readonly processTimeoutMs: number;
}

export const SHELL_MISSING: Failure = rejection(
  'not-configured',
  'Expected a task that this Weft carries out but it runs a shell command: set WEFT_RUN_SHELL to the path of a shell, such as /bin/sh.',
);

const ON: Target = { action: 'shell', program: 'sh', effect: 'non-idempotent-write' };

export function shellCalls(ports: ShellPorts): CallMaker {
  return (job, args: Json) => {
    const read = readShellRun(args);
    if (!read.ok) return notMakeable(ON, read.failure);
    const { shell, inherited } = ports;
    if (shell === undefined) return notMakeable(ON, SHELL_MISSING);
    const run = read.value;
    const { environment, stdin } = run;
    const command = [shell, '-c', run.command, 'sh', ...run.arguments];
    return {
      on: ON,
      made: {
        ok: true,
        work: processWork(ports, job, {
          kind: 'shell',
          effect: 'non-idempotent-write',
          timeoutMs: ports.processTimeoutMs,
          input: run,
          run: (timeoutMs, signal) => runProcess({ command, inherited, environment, stdin, timeoutMs, signal }),
        }),
      },
    };
  };
}
