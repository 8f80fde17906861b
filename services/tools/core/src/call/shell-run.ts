// The standard's `run: shell`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#shell-process.
import type { Json } from '@weft/kernel';
import { reading, type Reading } from './fields.js';
import { readProcessInput, type ProcessInput } from './process.js';

export interface ShellRun extends ProcessInput {
  /** Text of a shell script; its arguments are $1, $2... */
  readonly command: string;
}

export function readShellRun(args: Json): Reading<ShellRun> {
  return reading('a shell command', args, (fields) => ({ ...readProcessInput(fields), command: fields.text('command') }));
}
