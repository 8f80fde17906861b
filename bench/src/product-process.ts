// The bench's side of a Weft in a process of its own.
import { openPool, parseStoreUrl } from '@weft/adapter-postgres';
import type { DefinitionRef } from '@weft/contracts';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ended } from './door.js';
import type { ProductCall, ProductMessage } from './product.main.js';
import type { ProcessTarget } from './target.js';

type Call = ProductCall extends infer C ? (C extends ProductCall ? Omit<C, 'id'> : never) : never;

/** @param home folder of its throw-away store; emptied first. @param environment settings besides those of this process. */
export async function openProduct(home: string, environment: Readonly<Record<string, string>> = {}): Promise<ProcessTarget> {
  const child = fork(fileURLToPath(new URL('./product.main.js', import.meta.url)), [home], { env: { ...process.env, ...environment }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const listeners: ((results: readonly Ended[]) => void)[] = [];
  const answers = new Map<number, { resolve: (value: unknown) => void; reject: (fault: Error) => void }>();
  let last = 0;
  const ended = new Promise<never>((_, reject) => child.once('exit', (code) => reject(new Error(`Weft ended with ${code} in the middle of the bench`))));
  ended.catch((fault: Error) => answers.forEach(({ reject }) => reject(fault)));
  const ready = new Promise<Extract<ProductMessage, { type: 'ready' }>>((resolve) => {
    child.on('message', (message: ProductMessage) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'results') for (const listener of listeners) listener(message.results);
      else {
        const { resolve: settle, reject } = answers.get(message.id)!;
        answers.delete(message.id);
        if (message.fault === undefined) settle(message.value);
        else reject(new Error(message.fault));
      }
    });
  });
  const ask = (call: Call): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      answers.set(id, { resolve, reject });
      child.send({ ...call, id });
    });
  const { url, apiKey, storeUrl } = await Promise.race([ready, ended]);
  const pool = openPool(parseStoreUrl(storeUrl), { applicationName: 'weft bench', max: 1 });
  return {
    profile: 'standalone',
    door: {
      send: async (commands) => void (await ask({ call: 'send', commands })),
      onResults: async (listener) => void listeners.push(listener),
    },
    pool,
    url,
    apiKey,
    pids: [child.pid!],
    deploy: async (name) => (await ask({ call: 'deploy', name })) as DefinitionRef,
    close: async () => {
      await pool.end();
      const gone = new Promise((resolve) => child.once('exit', resolve));
      await ask({ call: 'close' }).catch(() => undefined);
      await gone;
    },
  };
}
