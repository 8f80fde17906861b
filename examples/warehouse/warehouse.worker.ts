// The warehouse as a worker: a read, an idempotent write, and a write that can be asked about afterwards.
import { defineTool, NotDone, runWorker } from '@weft/sdk';
import { z } from 'zod';

const stock = new Map([
  ['teapot', 7],
  ['cup', 120],
]);
/** What was done, by the key of its effect: a real warehouse keeps it where it keeps its goods. */
const reservations = new Map<string, { readonly reservation: string }>();
const shipments = new Map<string, { readonly shipment: string }>();
const line = z.object({ article: z.string().min(1), quantity: z.number().int().min(1) });

const tools = [
  defineTool(
    { name: 'stock', description: 'Says how many of an article are there.', input: z.object({ article: z.string().min(1) }), output: z.object({ there: z.number() }), effect: 'read' },
    ({ article }) => ({
      there: stock.get(article) ?? 0,
    }),
  ),

  defineTool(
    { name: 'reserve', description: 'Puts articles aside.', input: line, output: z.object({ reservation: z.string() }), effect: 'idempotent-write' },
    ({ article, quantity }, { idempotencyKey }) => {
      const done = reservations.get(idempotencyKey);
      if (done) return done;
      const there = stock.get(article) ?? 0;
      if (there < quantity) throw new NotDone(`Expected ${quantity} of ${article} but there are ${there}.`, { code: 'out-of-stock' });
      stock.set(article, there - quantity);
      const made = { reservation: `R-${reservations.size + 1}` };
      reservations.set(idempotencyKey, made);
      return made;
    },
  ),

  defineTool(
    {
      name: 'ship',
      description: 'Hands a reservation to the carrier.',
      input: z.object({ reservation: z.string(), to: z.string().min(1) }),
      output: z.object({ shipment: z.string() }),
      effect: 'non-idempotent-write',
      timeoutMs: 5_000,
      reconcile: (_input, { idempotencyKey }) => {
        const done = shipments.get(idempotencyKey);
        return done ? { happened: true, output: done } : { happened: 'unclear' };
      },
    },
    (_input, { idempotencyKey }) => {
      const made = { shipment: `S-${shipments.size + 1}` };
      shipments.set(idempotencyKey, made);
      return made;
    },
  ),
];

const { WEFT_WORKERS_URL: url = 'grpc://127.0.0.1:7425', WEFT_SECRET_WAREHOUSE: key = '' } = process.env;
const worker = runWorker({ url, key, source: 'warehouse', tools, onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`) });
await worker.done;
