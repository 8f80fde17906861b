// What the processes of `run` have in common: how they are started, and what of their end the task gets.
// Source: Open Workflow Specification 1.0.3, dsl-reference.md#run and #process-result.
import { rejection, type Failure, type Json } from '@weft/kernel';
import type { Fields } from './fields.js';

/** What a process came to, in the standard's words. */
export interface ProcessResult {
  /** Exit code. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const PROCESS_RETURNS = ['stdout', 'stderr', 'code', 'all', 'none'] as const;
/** Which part of the result is the task's output. */
export type ProcessReturn = (typeof PROCESS_RETURNS)[number];

/** Characters of what a process said that a failure repeats. */
const WORDS_MAX = 1_000;

/** What every process is given. */
export interface ProcessInput {
  readonly arguments: readonly string[];
  readonly environment: { readonly [name: string]: string };
  /** A value that is no text is given as JSON. */
  readonly stdin: string;
  readonly returns: ProcessReturn;
  /** False: the task goes on once the process has begun. */
  readonly isAwaited: boolean;
}

export function readProcessInput(fields: Fields): ProcessInput {
  const stdin = fields.get('stdin') ?? '';
  return {
    arguments: fields.list('arguments'),
    environment: fields.texts('environment'),
    stdin: typeof stdin === 'string' ? stdin : JSON.stringify(stdin),
    returns: fields.oneOf('return', PROCESS_RETURNS, 'stdout'),
    isAwaited: fields.flag('await', true),
  };
}

/** The output of the task. What a process wrote comes without the line breaks at its end, as a shell's `$( )` gives it. */
export function outputOfProcess({ code, stdout, stderr }: ProcessResult, returns: ProcessReturn): Json {
  const [out, err] = [trimmed(stdout), trimmed(stderr)];
  switch (returns) {
    case 'stdout':
      return out;
    case 'stderr':
      return err;
    case 'code':
      return code;
    case 'all':
      return { code, stdout: out, stderr: err };
    case 'none':
      return null;
  }
}

const trimmed = (text: string): string => text.replace(/(?:\r?\n)+$/, '');

/** Why a process counts as failed: it ended with another code than 0, and its task does not ask how it ended. Failure code: `process-failed`. */
export function failureOfProcess({ code, stderr }: ProcessResult, returns: ProcessReturn): Failure | undefined {
  if (code === 0 || returns === 'code' || returns === 'all' || returns === 'stderr') return undefined;
  const words = trimmed(stderr).slice(-WORDS_MAX);
  return rejection('process-failed', `Expected the process to end with code 0 but it ended with ${code}${words === '' ? '' : `: ${words}`}`, { details: { code } });
}
