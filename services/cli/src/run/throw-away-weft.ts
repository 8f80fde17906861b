// A Weft that runs some documents and is thrown away afterwards: store, home and process.
import type { Json } from '@weft/kernel';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { publishEvent } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import { inHome } from '../paths.js';
import { startStandalone } from '../processes/standalone.js';
import { requestTypeOf, runSettings } from './run-settings.js';
import { openThrowAwayStore } from './throw-away-store.js';

export interface ThrowAwayWeft {
  readonly client: GatewayClient;
  /** Starts the document at this place of those that it was made for, once it is deployed. @returns the execution's id. */
  start(document: number, input: Json): Promise<string>;
  /** Skips the time until the next timer from now on, whenever nothing else is outstanding; only with WEFT_SKIP_TIME. */
  skipTime(): void;
}

/** Does work with a Weft that has a route to each of the documents; deploying them is up to the work. @param settings that take the place of the environment's. @param told rejects when the work is to be given up: all is thrown away then, too. */
export async function withThrowAwayWeft<R>(
  documents: readonly string[],
  onProgress: (text: string) => void,
  work: (weft: ThrowAwayWeft) => Promise<R>,
  settings: Readonly<Record<string, string>> = {},
  told?: Promise<never>,
): Promise<R> {
  mkdirSync(inHome('run'), { recursive: true });
  const home = mkdtempSync(inHome('run', 'home-'));
  const stops: (() => Promise<void> | void)[] = [() => rmSync(home, { recursive: true, force: true })];
  try {
    const store = await openThrowAwayStore(onProgress);
    stops.push(() => store.close());
    const weft = await startStandalone({
      env: {
        ...settings,
        ...runSettings(documents, home, { ...process.env, ...settings }),
        WEFT_HOME: home,
        WEFT_PORT: '0',
        WEFT_STORE_URL: store.url,
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? inHome('compiled'),
      },
      logFile: inHome('logs', 'run.log'),
      onSimulated: ({ kind, pointer, answered }) => onProgress(`simulated ${kind} of ${pointer}${answered ? '' : ': no answer fits'}`),
    });
    // Nothing of it is kept, so nothing is drained.
    stops.push(() => weft.kill9());
    const client = new GatewayClient(weft);
    const start = async (document: number, input: Json): Promise<string> => {
      const event = { specversion: '1.0', id: randomUUID(), source: '/weft/run', type: requestTypeOf(document), data: input };
      return (await publishEvent(client, JSON.stringify(event))).executionId;
    };
    const worked = work({ client, start, skipTime: weft.skipTime });
    return await (told ? Promise.race([worked, told]) : worked);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
