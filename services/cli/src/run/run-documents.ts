// Runs a document, with others that it may call.
import type { Json } from '@weft/kernel';
import { resolve } from 'node:path';
import { deployDefinition, untilExecution } from '../client/executions.js';
import { isEnded, type DeployedShape, type ExecutionShape } from '../client/shapes.js';
import type { GatewayClient } from '../client/gateway-client.js';
import { changeSchedule, readSchedules } from '../client/schedules.js';
import { offerSignal, sendSignal } from '../client/signals.js';
import { withThrowAwayWeft } from './throw-away-weft.js';

export interface RunOptions {
  /** Texts of the documents: the first is run, the others are what it may call. */
  readonly documents: readonly string[];
  readonly input: Json;
  /** CloudEvents in structured mode, for what it listens to. */
  readonly events: readonly string[];
  readonly timeoutMs: number;
  readonly onProgress: (text: string) => void;
  readonly pretence?: Pretence;
  /** Rejects when it is to be given up. */
  readonly told?: Promise<never>;
}

/** What is done in its place. */
export interface Pretence {
  /** File of answers that calls get instead of being made. */
  readonly answersFile?: string;
  /** Whether nobody waits for timers. Default false. */
  readonly skipsTime?: boolean;
}

/** @returns the execution as it ended, or as it was when the time was up. @throws CommandFailed when a document or an event is refused. */
export function runDocuments({ documents, input, events, timeoutMs, onProgress, pretence: { answersFile, skipsTime = false } = {}, told }: RunOptions): Promise<ExecutionShape> {
  return withThrowAwayWeft(
    documents,
    onProgress,
    async ({ client, start, skipTime }) => {
      // What the first one calls has to be there when it is deployed.
      let deployed: DeployedShape | undefined;
      for (const text of documents.toReversed()) deployed = await deployDefinition(client, text);
      const deadline = Date.now() + timeoutMs;
      const scheduled = await schedulesOf(client, documents[0]!, deployed!);
      const isStartedByEvents = scheduled?.kinds.includes('on') ?? false;
      const [executionId, rest] = (isStartedByEvents ? await startedByEvents(client, events) : undefined) ?? [await start(0, input), events];
      if (scheduled) await changeSchedule(client, scheduled.workflow, 'pause', { reason: 'It is run once.' });
      for (const event of rest) if (!(await offerSignal(client, event, executionId))) onProgress('an event came too late: the execution had ended');
      // Not before: an event that is on its way comes ahead of a timer that is far away.
      if (skipsTime) skipTime();
      return untilExecution(client, executionId, ({ status }) => isEnded(status), deadline - Date.now());
    },
    { ...(answersFile === undefined ? {} : { WEFT_ANSWERS_FILE: resolve(answersFile) }), WEFT_SKIP_TIME: String(skipsTime) },
    told,
  );
}

interface Scheduled {
  /** namespace/name. */
  readonly workflow: string;
  readonly kinds: readonly string[];
}

/** The schedules of a document that has been deployed; undefined when it has none. */
async function schedulesOf(client: GatewayClient, document: string, { namespace, name }: DeployedShape): Promise<Scheduled | undefined> {
  if (!document.includes('schedule')) return undefined;
  const kinds = (await readSchedules(client)).flatMap(({ kind, workflow }) => (workflow.namespace === namespace && workflow.name === name ? [kind] : []));
  return kinds.length === 0 ? undefined : { workflow: `${namespace}/${name}`, kinds };
}

/** What a document that events start is started by: the first of the given ones that it takes. @returns also those that come after it; undefined when none is for it. */
async function startedByEvents(client: GatewayClient, events: readonly string[]): Promise<readonly [executionId: string, rest: readonly string[]] | undefined> {
  for (const [index, event] of events.entries()) {
    const [executionId] = (await sendSignal(client, event, undefined)).executions ?? [];
    if (executionId !== undefined) return [executionId, events.slice(index + 1)];
  }
  return undefined;
}
