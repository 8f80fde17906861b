// Runs documents in a Weft of their own that is thrown away afterwards.
import type { Json } from '@weft/kernel';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { deployDefinition, publishEvent, untilExecution } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import { isEnded, type ExecutionShape } from '../client/shapes.js';
import { sendSignal } from '../client/signals.js';
import { inHome } from '../paths.js';
import { startStandalone } from '../processes/standalone.js';
import { RUN_REQUEST_TYPE, runSettings } from './run-settings.js';
import { openThrowAwayStore } from './throw-away-store.js';

export interface RunOptions {
  /** Texts of the documents: the first is run, the others are what it may call. */
  readonly documents: readonly string[];
  readonly input: Json;
  /** CloudEvents in structured mode, for whoever listens. */
  readonly events: readonly string[];
  readonly timeoutMs: number;
  readonly onProgress: (text: string) => void;
}

/** @returns the execution as it ended, or as it was when the time was up. @throws CommandFailed when a document or an event is refused. */
export async function runDocuments({ documents, input, events, timeoutMs, onProgress }: RunOptions): Promise<ExecutionShape> {
  mkdirSync(inHome('run'), { recursive: true });
  const home = mkdtempSync(inHome('run', 'home-'));
  const stops: (() => Promise<void> | void)[] = [() => rmSync(home, { recursive: true, force: true })];
  try {
    const store = await openThrowAwayStore(onProgress);
    stops.push(() => store.close());
    const weft = await startStandalone({ env: { ...runSettings(documents, home), WEFT_HOME: home, WEFT_PORT: '0', WEFT_STORE_URL: store.url }, logFile: inHome('logs', 'run.log') });
    // Nothing of it is kept, so nothing is drained.
    stops.push(() => weft.kill9());
    const client = new GatewayClient(weft);
    // What the first one calls has to be there when it is deployed.
    for (const text of documents.toReversed()) await deployDefinition(client, text);
    const deadline = Date.now() + timeoutMs;
    const event = { specversion: '1.0', id: randomUUID(), source: '/weft/run', type: RUN_REQUEST_TYPE, data: input };
    const { executionId } = await publishEvent(client, JSON.stringify(event));
    for (const signal of events) await sendSignal(client, signal, executionId);
    return await untilExecution(client, executionId, ({ status }) => isEnded(status), deadline - Date.now());
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
