import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCountingServer, type CountingServer, type CountingServerOptions } from './counting-server.js';
import type { EffectAnswer } from './effect-receiver.js';
import { parseReceipts, type Receipt } from './receipt-file.js';

let folder = '';
let file = '';
let running: CountingServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-counting-'));
  file = join(folder, 'receipts.jsonl');
});
afterEach(async () => {
  for (const server of running) await server.close();
  running = [];
  rmSync(folder, { recursive: true });
});

async function start(options: Partial<CountingServerOptions> = {}): Promise<CountingServer> {
  const server = await startCountingServer({ file, ...options });
  running.push(server);
  return server;
}

const stored = (): readonly Receipt[] => parseReceipts(readFileSync(file, 'utf8'));

function post(url: string, tool: string, key: string | null, query = ''): Promise<Response> {
  return fetch(`${url}/effects/${tool}${query}`, {
    method: 'POST',
    body: '{"amount":5}',
    headers: { 'weft-execution': 'e1', 'weft-task': '/do/0', 'weft-iteration': '0.1', ...(key !== null && { 'idempotency-key': key }) },
  });
}
const answer = async (response: Promise<Response>): Promise<EffectAnswer> => (await (await response).json()) as EffectAnswer;
const reconcile = async (url: string, tool: string, key: string): Promise<unknown> => (await fetch(`${url}/effects/${tool}/${key}`)).json();

describe('the counting server', () => {
  it('has the receipt in its file when it answers', async () => {
    const { url } = await start();
    expect(await answer(post(url, 'send', 'k1'))).toEqual({ receipt: 1, tool: 'send', key: 'k1' });
    expect(stored()).toEqual([
      {
        receipt: 1,
        at: { monotonicNs: expect.stringMatching(/^\d+$/), wallMs: expect.any(Number) },
        face: 'http',
        tool: 'send',
        key: 'k1',
        execution: 'e1',
        task: '/do/0',
        iteration: '0.1',
        bodySha256: createHash('sha256').update('{"amount":5}').digest('hex'),
        fault: null,
      },
    ]);
  });

  it('does the effect of a repeated key again', async () => {
    const { url } = await start();
    await answer(post(url, 'pay', 'k1'));
    expect(await answer(post(url, 'pay', 'k1'))).toMatchObject({ receipt: 2 });
    expect(stored()).toHaveLength(2);
  });

  it('answers a repeated key of an idempotent tool with the first answer, and logs it all the same', async () => {
    const { url } = await start({ idempotent: ['send'] });
    await answer(post(url, 'send', 'k1'));
    expect(await answer(post(url, 'send', 'k1'))).toMatchObject({ receipt: 1 });
    expect(await answer(post(url, 'send', 'k2'))).toMatchObject({ receipt: 3 });
    expect(stored().map((receipt) => receipt.key)).toEqual(['k1', 'k1', 'k2']);
  });

  it('logs a receipt without a key as one', async () => {
    const { url } = await start({ idempotent: ['send'] });
    expect(await answer(post(url, 'send', null))).toEqual({ receipt: 1, tool: 'send', key: null });
    expect(await answer(post(url, 'send', null))).toMatchObject({ receipt: 2 });
  });

  it('tells by tool and key whether an effect has happened', async () => {
    const { url } = await start();
    const key = 'tenant/e1//do/0/send/0/1';
    await answer(post(url, 'pay', key));
    const happened = { happened: true, answer: { receipt: 1, tool: 'pay', key } };
    expect(await reconcile(url, 'pay', encodeURIComponent(key))).toEqual(happened);
    expect(await reconcile(url, 'pay', key)).toEqual(happened);
    expect(await reconcile(url, 'pay', 'k2')).toEqual({ happened: false });
    expect(await reconcile(url, 'send', encodeURIComponent(key))).toEqual({ happened: false });
  });

  it('says that an effect has happened while its answer is still delayed', async () => {
    const { url, receipts } = await start({ delayMs: 5_000 });
    const late = post(url, 'pay', 'k1').catch(() => undefined);
    while (receipts() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await reconcile(url, 'pay', 'k1')).toMatchObject({ happened: true });
    expect(stored()).toHaveLength(1);
    await running.pop()!.close();
    await late;
  });

  it('delays an answer when the request asks for it', async () => {
    const { url } = await start();
    const started = performance.now();
    await answer(post(url, 'pay', 'k1', '?delayMs=60'));
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('does the effect and cuts the connection when an answer gets lost', async () => {
    const { url } = await start({ lostAnswer: 1 });
    await expect(post(url, 'pay', 'k1')).rejects.toThrow();
    expect(await reconcile(url, 'pay', 'k1')).toMatchObject({ happened: true });
    expect(await answer(post(url, 'pay', 'k2', '?lostAnswer=0'))).toMatchObject({ receipt: 2 });
  });

  it('loses the same answers for the same seed', async () => {
    const lostWith = async (seed: number, name: string): Promise<boolean[]> => {
      const { url } = await start({ file: join(folder, name), lostAnswer: 0.4, seed });
      const lost: boolean[] = [];
      for (let n = 0; n < 20; n++)
        lost.push(
          await post(url, 'pay', `k${n}`).then(
            () => false,
            () => true,
          ),
        );
      return lost;
    };
    const first = await lostWith(7, 'a');
    expect(await lostWith(7, 'b')).toEqual(first);
    expect(await lostWith(8, 'c')).not.toEqual(first);
    expect(new Set(first).size).toBe(2);
  });

  it('goes on where an earlier process stopped, a torn last line cut off', async () => {
    const first = await start({ idempotent: ['send'] });
    await answer(post(first.url, 'send', 'k1'));
    await running.pop()!.close();
    appendFileSync(file, '{"receipt":2,"tool":"se');
    const second = await start({ idempotent: ['send'] });
    expect(second.receipts()).toBe(1);
    expect(await answer(post(second.url, 'send', 'k1'))).toMatchObject({ receipt: 1 });
    expect(await answer(post(second.url, 'send', 'k2'))).toMatchObject({ receipt: 3 });
    expect(stored().map((receipt) => receipt.receipt)).toEqual([1, 2, 3]);
  });

  it('refuses a file that holds something else', async () => {
    writeFileSync(file, '{"receipt":1,"tool":"a"}\nhello\n');
    await expect(startCountingServer({ file })).rejects.toThrow('Expected a receipt in line 2, but got hello');
  });

  it('says so when the port is taken', async () => {
    const { url } = await start();
    await expect(startCountingServer({ file: join(folder, 'other'), port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE');
  });

  it('numbers concurrent receipts in the order of the file', async () => {
    const { url } = await start();
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => answer(post(url, 'pay', `k${n}`))));
    expect(new Set(answers.map((one) => one.receipt)).size).toBe(200);
    expect(stored().map((receipt) => receipt.receipt)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  });

  it('answers its health, and other paths with what it expects', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true, receipts: 0 });
    const other = await fetch(`${url}/effects`);
    expect([other.status, await other.json()]).toEqual([404, { error: expect.stringContaining('Expected POST /effects/TOOL') }]);
    expect((await post(url, 'pay', 'k', '?delayMs=soon')).status).toBe(400);
    expect((await fetch(`${url}/effects/pay/%zz`)).status).toBe(400);
    expect(stored()).toEqual([]);
  });
});

describe('the counting server while a receipt is not on the disk', () => {
  const settled = async (promise: Promise<unknown>): Promise<boolean> => Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 60, false))]);

  async function startOn(append: () => Promise<void>): Promise<CountingServer> {
    const server = await startCountingServer({ file }, async () => ({ receipts: [], append, close: async () => {} }));
    running.push(server);
    return server;
  }

  it('answers neither the effect nor a question about it', async () => {
    const disk = Promise.withResolvers<void>();
    const { url, receipts } = await startOn(() => disk.promise);
    const effect = post(url, 'pay', 'k1');
    while (receipts() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const question = reconcile(url, 'pay', 'k1');
    expect(await Promise.all([settled(effect), settled(question)])).toEqual([false, false]);
    disk.resolve();
    expect(await answer(effect)).toMatchObject({ receipt: 1 });
    expect(await question).toMatchObject({ happened: true });
  });

  it('answers 500 when the disk refuses it', async () => {
    const { url } = await startOn(() => Promise.reject(new Error('no space left on device')));
    const response = await post(url, 'pay', 'k1');
    expect([response.status, await response.json()]).toEqual([500, { error: 'no space left on device' }]);
  });
});

describe('counting-server.main', () => {
  const MAIN = fileURLToPath(new URL('../dist/counting-server.main.js', import.meta.url));
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function launch(...more: string[]): Promise<{ child: ChildProcess; ready: { url: string; receipts: number } }> {
    expect(existsSync(MAIN), `${MAIN} is built (tsc -b tests/faults)`).toBe(true);
    const child = spawn(process.execPath, [MAIN, '--file', file, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const line = await new Promise<string>((resolve) => child.stdout!.once('data', (data: Buffer) => resolve(data.toString())));
    return { child, ready: JSON.parse(line) as { url: string; receipts: number } };
  }
  const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', (code) => resolve(code)));

  it('has every answered receipt in its file after kill -9 under load', async () => {
    const { child, ready } = await launch('--idempotent', 'send');
    const answered: EffectAnswer[] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      for (;;) {
        const got = await answer(post(ready.url, 'send', `k${next++}`)).catch(() => undefined);
        if (!got) return;
        answered.push(got);
        if (answered.length === 150) child.kill('SIGKILL');
      }
    };
    const death = ended(child);
    await Promise.all(Array.from({ length: 32 }, client));
    await death;
    expect(answered.length).toBeGreaterThanOrEqual(150);
    const byNumber = new Map(stored().map((receipt) => [receipt.receipt, receipt.key]));
    expect(answered.filter((one) => byNumber.get(one.receipt) !== one.key)).toEqual([]);

    const again = await launch('--idempotent', 'send');
    expect(again.ready.receipts).toBe(byNumber.size);
    expect(await answer(post(again.ready.url, 'send', answered[0]!.key))).toEqual(answered[0]);
  });

  it('ends with 0 at SIGTERM', async () => {
    const { child, ready } = await launch();
    await answer(post(ready.url, 'pay', 'k1'));
    const end = ended(child);
    child.kill('SIGTERM');
    expect(await end).toBe(0);
    expect(stored()).toHaveLength(1);
  });
});
