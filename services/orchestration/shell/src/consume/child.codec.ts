// What executions tell each other, as it travels: begin, end before your time, I have ended.
import { Command, contextOf, type ParentExecution as WireParent, type StartExecution } from '@weft/contracts';
import { type ChildBeginning, type ChildEnd, type CommandOf, type ExecutionFacts, type ParentExecution } from '@weft/orchestration/core';
import type { Json } from '@weft/kernel';
import { contextOfExecution } from '../publish/job.codec.js';

/** Type of the request that a child stands for: its source is the execution that starts it, its id the task there. */
export const CHILD_REQUEST_TYPE = 'ai.weft.workflow.run.v1';

/** The command that begins a child, or that stops it. On whose behalf, until when and with which models is as in its parent. */
export function childCommand(facts: ExecutionFacts, id: string, { execution, workflow, parent, input }: ChildBeginning, isStop: boolean): Command {
  const start: StartExecution = {
    requestSource: `/weft/executions/${parent.execution}`,
    requestId: `${parent.key}${parent.item === undefined ? '' : `[${parent.item}]`}`,
    requestType: CHILD_REQUEST_TYPE,
    definition: { ...workflow, digest: '' },
    inputJson: JSON.stringify(input),
    models: (facts.models ?? []).map((model) => ({ ...model })),
    parent: wireParent(parent),
    hops: facts.hops ?? 0,
  };
  return Command.fromPartial({ id, executionId: execution, context: contextOfExecution(facts, { executionId: execution }), ...(isStop ? { stopChild: start } : { start }) });
}

/** The command that tells the parent of an end. */
export function endCommand(facts: ExecutionFacts, id: string, parent: string, { child, status, output, error }: ChildEnd): Command {
  const textOf = (value: Json | undefined): string => (value === undefined ? '' : JSON.stringify(value));
  return Command.fromPartial({
    id,
    executionId: parent,
    context: contextOfExecution(facts, { executionId: parent }),
    endChild: { childId: child, status, outputJson: textOf(output), errorJson: textOf(error) },
  });
}

/** Reads the end of a child. @throws SyntaxError when a text is no JSON. */
export function readEndChild(wire: Command, { childId: child, status, outputJson, errorJson }: NonNullable<Command['endChild']>): CommandOf<'EndChild'> {
  const { tenant, taint } = wire.context ?? contextOf({ tenant: '' });
  return {
    type: 'EndChild',
    tenant,
    child,
    status: status === 'completed' || status === 'cancelled' ? status : 'faulted',
    taint,
    ...(outputJson === '' ? {} : { output: JSON.parse(outputJson) as Json }),
    ...(errorJson === '' ? {} : { error: JSON.parse(errorJson) as Json }),
  };
}

const wireParent = ({ execution, item, ...rest }: ParentExecution): WireParent => ({ ...rest, executionId: execution, ...(item === undefined ? {} : { item }) });

export const parentOf = ({ executionId: execution, item, key, depth, root, isAwaited }: WireParent): ParentExecution => ({
  execution,
  key,
  ...(item === undefined ? {} : { item }),
  depth,
  root,
  isAwaited,
});
