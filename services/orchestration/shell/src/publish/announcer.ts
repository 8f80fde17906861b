// Tells the world what was decided: results, lifecycle and emitted events. Ids derive from history, so telling twice is telling once.
import { announcementsOf, type ExecutionEvent, type ExecutionFacts, type ExecutionState } from '@weft/orchestration/core';
import { Command } from '@weft/contracts';
import { outgoing, type Bus, type Outgoing } from '@weft/pipeline';
import type { Instant } from '@weft/kernel';
import { contextOfExecution } from './job.codec.js';

/** One history row whose announcements are to be published. */
export interface Announced {
  /** When it was recorded. */
  readonly at: Instant;
  readonly facts: ExecutionFacts;
  readonly sequence: number;
  /** Reviews that were open before it. */
  readonly before?: ExecutionState['reviews'];
  readonly events: readonly ExecutionEvent[];
}

const SOURCE = '/weft/orchestration';

/** Publishes what the rows announce; returns how many messages that were. */
export async function announce(bus: Bus, rows: readonly Announced[]): Promise<number> {
  const messages = rows.flatMap(messagesOf);
  if (messages.length > 0) await bus.publish(messages);
  return messages.length;
}

function messagesOf({ at, facts, sequence, events, before }: Announced): Outgoing[] {
  const { executionId, definition, request } = facts;
  return announcementsOf(facts, sequence, events, before).map((announcement) => {
    const attributes = { id: announcement.id, source: SOURCE, subject: request.id, time: at, key: executionId, context: contextOfExecution(facts) };
    if (announcement.to === 'commands') {
      const { execution, forkFrom, reason } = announcement;
      const { execution: origin, operation, ...from } = forkFrom;
      const context = contextOfExecution(facts, { executionId: execution });
      const body = Command.fromPartial({ id: announcement.id, executionId: execution, context, forkFrom: { ...from, executionId: origin, operationId: operation, reason } });
      return outgoing('commands', { ...attributes, key: execution, context, type: 'ai.weft.command.fork-from.v1', body });
    }
    if (announcement.to === 'results') {
      const { status, output, error } = announcement;
      const body = {
        executionId,
        requestId: request.id,
        ...(facts.from ? { forkedFrom: facts.from.execution } : {}),
        status,
        ...(output === undefined ? {} : { output }),
        ...(error === undefined ? {} : { error }),
      };
      return outgoing('results', { ...attributes, type: `ai.weft.result.${status}.v1`, body });
    }
    const workflow = `${definition.namespace}/${definition.name}:${definition.version}`;
    const body = { executionId, requestId: request.id, workflow, ...(announcement.data === undefined ? {} : { data: announcement.data }) };
    return outgoing('lifecycle', { ...attributes, type: announcement.type, body });
  });
}
