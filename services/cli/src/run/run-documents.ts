// Runs a document, with others that it may call.
import type { Json } from '@weft/kernel';
import { deployDefinition, untilExecution } from '../client/executions.js';
import { isEnded, type ExecutionShape } from '../client/shapes.js';
import { sendSignal } from '../client/signals.js';
import { withThrowAwayWeft } from './throw-away-weft.js';

export interface RunOptions {
  /** Texts of the documents: the first is run, the others are what it may call. */
  readonly documents: readonly string[];
  readonly input: Json;
  /** CloudEvents in structured mode, for what it listens to. */
  readonly events: readonly string[];
  readonly timeoutMs: number;
  readonly onProgress: (text: string) => void;
}

/** @returns the execution as it ended, or as it was when the time was up. @throws CommandFailed when a document or an event is refused. */
export function runDocuments({ documents, input, events, timeoutMs, onProgress }: RunOptions): Promise<ExecutionShape> {
  return withThrowAwayWeft(documents, onProgress, async ({ client, start }) => {
    // What the first one calls has to be there when it is deployed.
    for (const text of documents.toReversed()) await deployDefinition(client, text);
    const deadline = Date.now() + timeoutMs;
    const executionId = await start(0, input);
    for (const event of events) await sendSignal(client, event, executionId);
    return untilExecution(client, executionId, ({ status }) => isEnded(status), deadline - Date.now());
  });
}
