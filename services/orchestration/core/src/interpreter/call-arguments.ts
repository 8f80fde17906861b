import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { CallArguments } from '../program/call-arguments.js';
import type { Task } from '../program/program.js';
import { URI_TEMPLATES } from '../upgrade/engine-flags.js';
import type { Advance } from './advance.js';

/** The arguments of a call, as the engine evaluated them when the execution started. */
export function argumentsOf(advance: Advance, task: Task & CallArguments, key: ActivationKey, input: Json): Json {
  return advance.evaluate(task.literal && !advance.has(URI_TEMPLATES) ? task.literal : task.arguments, input, { task, key, taskInput: input });
}
