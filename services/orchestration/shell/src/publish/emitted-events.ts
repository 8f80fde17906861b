// Events that workflows emit, on their way to the executions of the same tenant that listen for them.
import { Command } from '@weft/contracts';
import { signalCommand } from '../consume/command.codec.js';
import type { Instant } from '@weft/kernel';
import { listenKeysOf, type CommandOf, type EmittedEvent, type ExecutionFacts } from '@weft/orchestration/core';
import { outgoing, type Outgoing } from '@weft/pipeline';
import type { FoundListen } from '../persist/listens.js';
import { contextOfExecution } from './job.codec.js';

/** Finds the open listens of a tenant under any of the keys. */
export type Listeners = (tenant: string, keys: readonly string[]) => Promise<readonly FoundListen[]>;

/** An emitted event, and who emitted it when. */
export interface Emission extends EmittedEvent {
  readonly facts: ExecutionFacts;
  readonly at: Instant;
}

/**
 * Commands that give events to executions. They go over the bus like any other: told again after a crash, an event is one that its
 * execution has had. What an event says came from the execution that emitted it, and is labelled as that.
 */
export async function deliveriesOf(emissions: readonly Emission[], listeners: Listeners): Promise<readonly Outgoing[]> {
  const found = await Promise.all(
    emissions.map(async (emission) => ({ emission, executions: new Set((await listeners(emission.facts.context.tenant, keysOf(emission))).map(({ executionId }) => executionId)) })),
  );
  return found.flatMap(({ emission, executions }) => [...executions].map((executionId) => delivery(emission, executionId)));
}

/** An event with too many values to look for is found by its type alone. */
const keysOf = ({ event }: Emission): readonly string[] => [...new Set(listenKeysOf(event.type, event) ?? listenKeysOf(event.type, {})!)];

function delivery({ event, hops, facts, at }: Emission, executionId: string): Outgoing {
  const id = `${executionId}/${event.source}/${event.id}`;
  const context = contextOfExecution(facts, { executionId });
  const body = Command.fromPartial({ id, executionId, context, receiveSignal: { eventJson: JSON.stringify(event), isCorrelated: true, hops } });
  return outgoing('commands', { id, source: '/weft/orchestration', subject: facts.request.id, time: at, key: executionId, context, type: 'ai.weft.command.receive-signal.v1', body });
}

/** An emission as the executions that it starts get it. */
export function signalOf({ event, hops, facts }: Emission): CommandOf<'ReceiveSignal'> {
  return { ...signalCommand(JSON.stringify(event), contextOfExecution(facts), true), hops };
}
