// A worker as a process of its own, to be killed: it says on its output what it begins, and ends a call only when it is told to.
import { defineTool, runWorker, type WorkerEvent } from '@weft/sdk';

/** What the process says. */
export type Said = 'registered' | 'draining' | 'stopped' | `began ${string}` | `asked ${string}`;

const [url = '', key = '', source = ''] = process.argv.slice(2);
const say = (text: Said | WorkerEvent['type']): void => void process.stdout.write(`${text}\n`);
const input = { type: 'object' } as const;
const told = (): Promise<void> => new Promise((resolve) => process.stdin.once('data', () => resolve()));

const tools = [
  defineTool({ name: 'hang', description: 'Begins and never ends.', input, effect: 'non-idempotent-write' }, (_input, { idempotencyKey }) => {
    say(`began ${idempotencyKey}`);
    return new Promise<never>(() => undefined);
  }),
  defineTool({ name: 'slow', description: 'Ends when it is told to.', input, effect: 'non-idempotent-write' }, async (_input, { idempotencyKey }) => {
    say(`began ${idempotencyKey}`);
    await told();
    return { pid: process.pid };
  }),
  defineTool({ name: 'upsert', description: 'Writes the same.', input, effect: 'idempotent-write' }, async (_input, { idempotencyKey }) => {
    say(`began ${idempotencyKey}`);
    await told();
    return { pid: process.pid };
  }),
  defineTool(
    {
      name: 'asked',
      description: 'Can tell afterwards.',
      input,
      effect: 'non-idempotent-write',
      timeoutMs: 3_000,
      reconcile: (_input, { idempotencyKey }) => {
        say(`asked ${idempotencyKey}`);
        return { happened: true, output: { found: true } };
      },
    },
    (_input, { idempotencyKey }) => {
      say(`began ${idempotencyKey}`);
      return new Promise<never>(() => undefined);
    },
  ),
];

const worker = runWorker({ url, key, source, tools, onEvent: ({ type }) => say(type) });
await worker.done;
process.stdin.destroy();
