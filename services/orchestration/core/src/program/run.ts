// `run: script`, `run: shell` and `run: container`: one job each, in the standard's own field names.
import { invariant, isJsonObject, type JsonObject } from '@weft/kernel';
import { callArguments } from './call-arguments.js';
import { withResource } from './call-resource.js';
import type { Evaluate } from './expression.js';
import type { Resources } from './program.js';

const PROCESSES = ['script', 'shell', 'container'] as const;

/** What the task of a process is made of. */
export interface ProcessTask {
  readonly kind: 'job';
  readonly job: (typeof PROCESSES)[number];
  readonly arguments: Evaluate;
  /** Of a process that is not awaited: its output is the task's input, whatever the process comes to. */
  readonly outputAs?: Evaluate;
}

/** @param run the task's `run`. @param resources what publish locked. @param outputAs the task's own, which then transforms its input. @returns undefined when it runs something else. */
export function compileProcess(run: JsonObject, outputAs: Evaluate | undefined, names: readonly string[], resources: Resources): ProcessTask | undefined {
  const job = PROCESSES.find((process) => run[process] !== undefined);
  if (job === undefined) return undefined;
  const fields = run[job];
  invariant(isJsonObject(fields), `${job} is an object`);
  const { await: isAwaited = true, return: returns = 'stdout' } = run;
  const task: ProcessTask = { kind: 'job', job, arguments: callArguments({ ...(withResource(job, fields, resources) as JsonObject), return: returns, await: isAwaited }, {}, names).arguments };
  if (isAwaited !== false) return task;
  return { ...task, outputAs: (_none, variables, now) => (outputAs ? outputAs(variables.input, { ...variables, output: variables.input }, now) : variables.input) };
}
