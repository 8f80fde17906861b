// Weft in a process of its own, driven by the bench through messages: the load generator's memory is then not in the measured one.
import { storeUrl } from '@weft/adapter-postgres';
import type { Command } from '@weft/contracts';
import type { Ended } from './door.js';
import { openStandalone } from './standalone-target.js';

/** From the bench. `id` names what is answered. */
export type ProductCall = { readonly id: number } & (
  | { readonly call: 'send'; readonly commands: readonly Command[] }
  | { readonly call: 'deploy'; readonly name: string }
  | { readonly call: 'close' }
);

/** To the bench. */
export type ProductMessage =
  | { readonly type: 'ready'; readonly url: string; readonly apiKey: string; readonly storeUrl: string }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly fault?: string }
  | { readonly type: 'results'; readonly results: readonly Ended[] };

const tell = (message: ProductMessage): void => void process.send?.(message);

const target = await openStandalone(process.argv[2] ?? '');
// A connection of the bench in here would be counted as one of the product.
await target.pool.end();
await target.door.onResults((results) => tell({ type: 'results', results }));

process.on('message', (call: ProductCall) => {
  carryOut(call).then(
    (value) => tell({ type: 'answer', id: call.id, value }),
    (fault: unknown) => tell({ type: 'answer', id: call.id, fault: fault instanceof Error ? fault.message : String(fault) }),
  );
});
// The bench is gone: nobody wants this any more.
process.on('disconnect', () => process.exit(1));
tell({ type: 'ready', url: target.url, apiKey: target.apiKey, storeUrl: storeUrl(target.store) });

async function carryOut(call: ProductCall): Promise<unknown> {
  switch (call.call) {
    case 'send':
      return target.door.send(call.commands);
    case 'deploy':
      return target.deploy(call.name);
    case 'close':
      await target.shutDown();
      setImmediate(() => process.exit(0));
  }
}
