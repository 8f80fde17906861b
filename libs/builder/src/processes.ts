// Tasks that run something: a container, a script, a shell command, another workflow.
import { standardTask, type Duration, type Resource, type TaskOptions, type TaskWith } from './task.js';
import type { Text, Values } from './value.js';

export interface RunOptions extends TaskOptions {
  /** Whether the task waits for its end. Default true. */
  readonly await?: boolean;
  /** What of the process is given. Default `stdout`. */
  readonly return?: 'stdout' | 'stderr' | 'code' | 'all' | 'none';
}

interface Process {
  readonly stdin?: Text;
  readonly arguments?: readonly Text[];
  readonly environment?: Values;
}

export interface Container extends Process {
  readonly image: Text;
  readonly name?: Text;
  readonly command?: Text;
  readonly ports?: Values;
  readonly volumes?: Values;
  readonly lifetime?: { readonly cleanup: 'always' | 'never' } | { readonly cleanup: 'eventually'; readonly after: Duration };
  readonly pullPolicy?: 'ifNotPresent' | 'always' | 'never';
}

export type Script = Process & { readonly language: Text } & ({ readonly code: Text } | { readonly source: Resource });

export interface Shell extends Process {
  readonly command: Text;
}

export interface Subflow {
  readonly namespace: Text;
  readonly name: Text;
  /** Default `latest`. */
  readonly version: Text;
  readonly input?: Values;
}

const runner =
  <P>(kind: string) =>
  <Output = unknown, const O extends RunOptions = object>(process: P, options?: O): TaskWith<O, Output> => {
    const { await: awaits, return: returned, ...rest } = (options ?? {}) as RunOptions;
    return standardTask({ run: { [kind]: process, await: awaits, return: returned }, ...rest }) as TaskWith<O, Output>;
  };

export const runContainer = runner<Container>('container');
export const runScript = runner<Script>('script');
export const runShell = runner<Shell>('shell');
export const runWorkflow = runner<Subflow>('workflow');
