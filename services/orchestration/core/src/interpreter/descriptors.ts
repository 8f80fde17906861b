// What `$task`, `$workflow` and `$runtime` are. Source: Open Workflow Specification 1.0.3, dsl.md, runtime expression arguments.
import type { Instant, Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { TaskBase } from '../program/program.js';
import { STANDARD_DESCRIPTORS } from '../upgrade/engine-flags.js';
import type { Advance } from './advance.js';
import { describedTask } from './extension.js';

const RUNTIME = { name: 'weft', version: '0.1.0' };
const RUNTIME_WITH_METADATA = { ...RUNTIME, metadata: {} };

/** What is known of a task when an expression is evaluated. */
export interface DescribedAt {
  readonly key: ActivationKey;
  /** The task is not entered yet: `key` is what it stands in. */
  readonly isInside?: boolean;
  readonly taskInput?: Json;
  /** What the task gave, before `output.as`. */
  readonly rawOutput?: Json;
}

export function taskDescriptor(advance: Advance, task: TaskBase, { key, isInside, taskInput = null, rawOutput = null }: DescribedAt): Json {
  const described = describedTask(advance.state, task, key, taskInput);
  if (!advance.has(STANDARD_DESCRIPTORS) || task.extended) return described;
  const holder = advance.activation(key);
  const input = isInside ? holder.value : holder.rawInput;
  return { ...(described as object), input, output: rawOutput, startedAt: dateTime(isInside ? advance.context.now : holder.enteredAt) };
}

export function workflowDescriptor(advance: Advance): Json {
  const { definition } = advance.program;
  const { executionId: id, input, startedAt } = advance.state;
  return { id, definition, input, startedAt: advance.has(STANDARD_DESCRIPTORS) ? dateTime(startedAt) : epoch(startedAt) };
}

export const runtimeDescriptor = (advance: Advance): Json => (advance.has(STANDARD_DESCRIPTORS) ? RUNTIME_WITH_METADATA : RUNTIME);

const epoch = (at: Instant): { readonly epoch: Json } => ({ epoch: { seconds: Math.floor(at / 1000), milliseconds: at } });
const dateTime = (at: Instant): Json => ({ iso8601: new Date(at).toISOString(), ...epoch(at) });
