import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, WorkerCall } from '@weft/contracts';
import { configureLog, logFor } from '@weft/nest-platform';
import { defineTool, NotDone, runWorker, type Tool, type Worker } from '@weft/sdk';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toolsMigrations } from '../migrations/index.js';
import { listen, type Listening } from '../persist/notifications.js';
import { CALLS_CHANNEL, RESULTS_CHANNEL, WorkerCallStore } from '../persist/worker-call.store.js';
import type { CallOutcome } from './worker-call.js';
import { WorkerDoor } from './worker-door.js';
import { WorkerHub } from './worker-hub.js';
import { opens } from './worker-key.js';
import type { Said } from './worker-process.testing.js';

const KEY = 'k'.repeat(40);
const LEASE_MS = 900;

let store: ScratchStore;
let pool: Pool;
let seen: { key: string; tool: string; aborted: boolean }[];
let replicas: Replica[];
const workers: Worker[] = [];
const children: ChildProcess[] = [];

interface Replica {
  readonly hub: WorkerHub;
  readonly url: string;
  close(): Promise<void>;
}

async function startReplica(): Promise<Replica> {
  const calls = new WorkerCallStore(pool);
  const hub = new WorkerHub({ store: calls, leaseMs: LEASE_MS, pollMs: 2_000, log: logFor('tools') });
  const listening: Listening = listen(pool, [CALLS_CHANNEL, RESULTS_CHANNEL], (channel, payload) => (channel === CALLS_CHANNEL ? hub.hearCalls(payload) : hub.hearResult(payload)));
  const door = new WorkerDoor({
    hub,
    opens: (source, authorization) => source === 'orders' && opens(authorization, ['ORDERS'], (name) => (name === 'ORDERS' ? KEY : undefined)),
    admit: async (source, _worker, tools) => tools.map(({ name, description }) => ({ name: `${source}.${name}`, digest: description, state: 'accepted' })),
    leaseMs: LEASE_MS,
    pollMs: 2_000,
    log: logFor('tools'),
  });
  hub.start();
  const port = await door.open({ address: '127.0.0.1:0' });
  return {
    hub,
    url: `grpc://127.0.0.1:${port}`,
    close: async () => {
      await door.close();
      await listening.close();
    },
  };
}

const anything = { type: 'object' } as const;
const tool = (name: string, run: Parameters<typeof defineTool<typeof anything>>[1], more: { concurrency?: number } = {}): Tool =>
  defineTool({ name, description: `Does ${name}.`, input: anything, effect: 'non-idempotent-write', ...more }, (input, context) => {
    seen.push({ key: context.idempotencyKey, tool: name, aborted: context.signal.aborted });
    return run(input, context);
  });

async function startWorker(replica: Replica, tools: readonly Tool[], more: { concurrency?: number; key?: string; source?: string } = {}): Promise<Worker> {
  const registered = Promise.withResolvers<void>();
  const worker = runWorker({
    url: replica.url,
    key: more.key ?? KEY,
    source: more.source ?? 'orders',
    tools,
    signals: [],
    drainMs: 500,
    ...(more.concurrency === undefined ? {} : { concurrency: more.concurrency }),
    onEvent: ({ type }) => type === 'registered' && registered.resolve(),
  });
  workers.push(worker);
  worker.done.catch(() => undefined);
  await Promise.race([registered.promise, worker.done]);
  return worker;
}

/** A worker in a process of its own; `line` resolves when it has said something that begins so. */
function startProcess(replica: Replica) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./worker-process.testing.ts', import.meta.url)), replica.url, KEY, 'orders'], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { child, line: (start: Said) => eventually(() => lines.some((line) => line.startsWith(start))), ended: once(child, 'exit') };
}

let number = 0;
function call(
  replica: Replica,
  name: string,
  more: { args?: object; timeoutMs?: number; digest?: string; kind?: string; halted?: AbortSignal } = {},
): { readonly key: string; readonly outcome: Promise<CallOutcome> } {
  const key = `default/e/${number++}`;
  const wire = WorkerCall.create({
    kind: more.kind ?? 'call',
    tool: name,
    argumentsJson: JSON.stringify(more.args ?? {}),
    idempotencyKey: key,
    context: contextOf({ tenant: 'default', taint: ['tool:x'] }),
    workflow: 'acme/x:1.0.0',
  });
  const offered = { id: randomUUID(), source: 'orders', tool: name, digest: more.digest ?? descriptionOf(name), call: wire };
  return { key, outcome: replica.hub.call(offered, performance.now() + (more.timeoutMs ?? 10_000), more.halted) };
}
const descriptionOf = (name: string): string => ({ hang: 'Begins and never ends.', slow: 'Ends when it is told to.' })[name] ?? `Does ${name}.`;

beforeAll(async () => {
  configureLog({ write: () => undefined });
  store = await openScratchStore([toolsMigrations]);
  pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'workers spec', max: 8 });
});
afterAll(async () => {
  await pool.end();
  await store.close();
});
beforeEach(async () => {
  seen = [];
  replicas = [await startReplica()];
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.allSettled(workers.splice(0).map((worker) => worker.stop()));
  await Promise.all(replicas.map((replica) => replica.close()));
});

describe('a worker', () => {
  it('gets a call with its key, context and deadline, and its answer comes back', async () => {
    const add = defineTool(
      { name: 'add', description: 'Does add.', input: z.object({ a: z.number(), b: z.number().default(2) }), output: z.object({ sum: z.number() }), effect: 'read' },
      ({ a, b }, context) => {
        expect(context).toMatchObject({ tenant: 'default', workflow: 'acme/x:1.0.0', taint: ['tool:x'] });
        expect(context.deadlineMs - Date.now()).toBeGreaterThan(5_000);
        return { sum: a + b };
      },
    );
    await startWorker(replicas[0]!, [add]);
    expect(await call(replicas[0]!, 'add', { args: { a: 1 } }).outcome).toMatchObject({ kind: 'answered', result: { outcome: 'completed', outputJson: '{"sum":3}' } });
  });

  it('tells what it knows to be not done from what it does not know', async () => {
    await startWorker(replicas[0]!, [
      tool('refuses', () => Promise.reject(new NotDone('the account is closed', { code: 'account-closed', isRetryable: true }))),
      tool('breaks', () => Promise.reject(new Error('it broke in the middle'))),
    ]);
    expect(await call(replicas[0]!, 'refuses').outcome).toMatchObject({ result: { outcome: 'failed', code: 'account-closed', retryable: true } });
    expect(await call(replicas[0]!, 'breaks').outcome).toMatchObject({ result: { outcome: 'unknown', message: 'it broke in the middle' } });
  });

  it('is asked afterwards whether an effect happened', async () => {
    const pay = defineTool(
      { name: 'pay', description: 'Does pay.', input: anything, effect: 'non-idempotent-write', reconcile: (_input, { idempotencyKey }) => ({ happened: true, output: { found: idempotencyKey } }) },
      () => 'paid',
    );
    await startWorker(replicas[0]!, [pay]);
    const { key, outcome } = call(replicas[0]!, 'pay', { kind: 'reconcile' });
    expect(await outcome).toMatchObject({ result: { outcome: 'happened', outputJson: JSON.stringify({ found: key }) } });
  });

  it('gets calls whose arguments do not fit into one message together, one message after the other', async () => {
    await startWorker(replicas[0]!, [tool('measure', (input) => JSON.stringify(input).length)]);
    const text = 'x'.repeat(1_500_000);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => call(replicas[0]!, 'measure', { args: { text } }).outcome));
    expect(outcomes).toMatchObject(Array.from({ length: 6 }, () => ({ kind: 'answered', result: { outcome: 'completed', outputJson: String(text.length + 11) } })));
  });

  it('that names a call in a heartbeat whose result has just come leaves nothing behind', async () => {
    const [began, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await startWorker(replicas[0]!, [tool('pay', async () => (began.resolve(), await release.promise, 'paid'))]);
    const { outcome } = call(replicas[0]!, 'pay');
    await began.promise;
    const { hub } = replicas[0]!;
    const [session] = hub.sessions();
    const ids = [...session!.held.keys()];
    release.resolve();
    expect(await outcome).toMatchObject({ kind: 'answered' });
    await hub.heartbeat(session!, ids);
    expect((await pool.query('select state from tools.worker_calls where id = any($1)', [ids])).rows).toEqual([]);
  });

  it('carries out no more at once than it and its tools allow', async () => {
    let running = 0;
    let most = 0;
    const counted = async (): Promise<null> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return null;
    };
    await startWorker(replicas[0]!, [tool('one', counted, { concurrency: 1 })], { concurrency: 8 });
    const calls = Array.from({ length: 12 }, () => call(replicas[0]!, 'one').outcome);
    expect((await Promise.all(calls)).every(({ kind }) => kind === 'answered')).toBe(true);
    expect(most).toBe(1);
  });

  it('never gets a call that was halted while it waited; what it has is waited for', async () => {
    const began = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await startWorker(replicas[0]!, [tool('slow', async () => (began.resolve(), await release.promise, 'done'))], { concurrency: 1 });
    const halt = new AbortController();
    const first = call(replicas[0]!, 'slow', { digest: 'Does slow.', halted: halt.signal });
    await began.promise;
    const posted = call(replicas[0]!, 'slow', { digest: 'Does slow.', halted: halt.signal });
    await eventually(async () => (await pool.query(`select 1 from tools.worker_calls where state = 'waiting'`)).rows.length === 1);
    const comesLate = call(replicas[0]!, 'slow', { digest: 'Does slow.', halted: halt.signal });
    halt.abort();
    expect(await Promise.all([posted.outcome, comesLate.outcome])).toEqual([{ kind: 'notTaken' }, { kind: 'notTaken' }]);
    release.resolve();
    expect(await first.outcome).toMatchObject({ kind: 'answered' });
    expect(seen.map(({ key }) => key)).toEqual([first.key]);
    expect((await pool.query('select id from tools.worker_calls')).rows).toEqual([]);
  });

  it('never gets a call of a definition that is not the one that it brings', async () => {
    await startWorker(replicas[0]!, [tool('pay', () => null)]);
    expect(await call(replicas[0]!, 'pay', { digest: 'another definition', timeoutMs: 300 }).outcome).toEqual({ kind: 'notTaken' });
    expect(seen).toEqual([]);
  });

  it('with a wrong key, or for a source that nobody declared, is refused', async () => {
    const wrong = await startWorker(replicas[0]!, [tool('pay', () => null)], { key: 'x'.repeat(40) }).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 16 });
    const stranger = await startWorker(replicas[0]!, [tool('pay', () => null)], { source: 'others' }).catch((error: unknown) => error);
    expect(stranger).toMatchObject({ code: 16 });
  });

  it('ends what it has begun when it is told to stop, and takes no more', async () => {
    const began = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const worker = await startWorker(replicas[0]!, [tool('slow', async () => (began.resolve(), await release.promise, 'done'))]);
    const first = call(replicas[0]!, 'slow', { digest: 'Does slow.' });
    await began.promise;
    const stopped = worker.stop();
    const second = call(replicas[0]!, 'slow', { digest: 'Does slow.', timeoutMs: 400 });
    expect(await second.outcome).toEqual({ kind: 'notTaken' });
    release.resolve();
    expect(await first.outcome).toMatchObject({ kind: 'answered', result: { outputJson: '"done"' } });
    await stopped;
    expect(seen).toHaveLength(1);
  });

  it('aborts a call when the attempt is over, and nobody waits for it', async () => {
    const aborted = Promise.withResolvers<unknown>();
    await startWorker(replicas[0]!, [tool('pay', (_input, { signal }) => new Promise(() => signal.addEventListener('abort', () => aborted.resolve(signal.reason))))]);
    expect(await call(replicas[0]!, 'pay', { timeoutMs: 200 }).outcome).toEqual({ kind: 'lost', reason: 'timeout' });
    expect(String(await aborted.promise)).toContain('over');
  });
});

describe('a worker in a process of its own', () => {
  it('that is killed in the middle of a call leaves it lost, long before its time is over', async () => {
    const { child, line, ended } = startProcess(replicas[0]!);
    await line('registered');
    const { key, outcome } = call(replicas[0]!, 'hang', { timeoutMs: 60_000 });
    await line(`began ${key}`);
    child.kill('SIGKILL');
    await ended;
    expect(await outcome).toEqual({ kind: 'lost', reason: 'gone' });
  });

  it('drains on SIGTERM: the call under way is answered, then it ends by itself', async () => {
    const { child, line, ended } = startProcess(replicas[0]!);
    await line('registered');
    const { key, outcome } = call(replicas[0]!, 'slow');
    await line(`began ${key}`);
    child.kill('SIGTERM');
    await line('draining');
    child.stdin.write('go\n');
    expect(await outcome).toMatchObject({ kind: 'answered', result: { outcome: 'completed' } });
    expect((await ended)[0]).toBe(0);
  });
});

/** A way to a replica that can be turned to another one: what stands is cut. */
async function startWay(to: Replica): Promise<{ readonly replica: Replica; turn(to: Replica): void }> {
  let port = Number(to.url.split(':')[2]);
  const open = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => undefined).once('close', () => (open.delete(one), other.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => open.forEach((socket) => socket.destroy());
  const replica: Replica = {
    hub: to.hub,
    url: `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      cut();
      server.close();
    },
  };
  replicas.push(replica);
  return {
    replica,
    turn: (next) => {
      port = Number(next.url.split(':')[2]);
      cut();
    },
  };
}

describe('two replicas', () => {
  beforeEach(async () => void replicas.push(await startReplica()));

  it('carry out a call wherever the worker is connected', async () => {
    await startWorker(replicas[1]!, [tool('pay', () => 'paid')]);
    expect(await call(replicas[0]!, 'pay').outcome).toMatchObject({ kind: 'answered', result: { outputJson: '"paid"' } });
    expect(await pool.query('select 1 from tools.worker_calls')).toMatchObject({ rows: [] });
  });

  it('give each of many calls to one worker alone', async () => {
    const once = tool('pay', async () => (await new Promise((resolve) => setImmediate(resolve)), null));
    await startWorker(replicas[0]!, [once], { concurrency: 4 });
    await startWorker(replicas[1]!, [once], { concurrency: 4 });
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, index) => call(replicas[index % 2]!, 'pay').outcome));
    expect(outcomes.every(({ kind }) => kind === 'answered')).toBe(true);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(200);
    expect(seen).toHaveLength(200);
  });

  it('tell what no worker has seen from what one had', async () => {
    expect(await call(replicas[0]!, 'pay', { timeoutMs: 200 }).outcome).toEqual({ kind: 'notTaken' });
    const began = Promise.withResolvers<void>();
    await startWorker(replicas[1]!, [tool('pay', () => (began.resolve(), new Promise<never>(() => undefined)))]);
    const { outcome } = call(replicas[0]!, 'pay', { timeoutMs: 1_500 });
    await began.promise;
    expect(await outcome).toEqual({ kind: 'lost', reason: 'timeout' });
  });

  it('let a worker go on that comes back to another one, longer than its lease', async () => {
    const way = await startWay(replicas[0]!);
    const [began, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await startWorker(way.replica, [tool('pay', async () => (began.resolve(), await release.promise, 'paid'))]);
    const { outcome } = call(replicas[0]!, 'pay', { timeoutMs: 20_000 });
    await began.promise;
    way.turn(replicas[1]!);
    await eventually(() => replicas[0]!.hub.sessions().length === 0);
    expect(replicas[1]!.hub.sessions()).toHaveLength(1);
    release.resolve();
    expect(await outcome).toMatchObject({ kind: 'answered', result: { outputJson: '"paid"' } });
    expect(seen).toHaveLength(1);
  });

  it('hear of a worker elsewhere that is killed', async () => {
    const { child, line } = startProcess(replicas[1]!);
    await line('registered');
    const { key, outcome } = call(replicas[0]!, 'hang', { timeoutMs: 60_000 });
    await line(`began ${key}`);
    child.kill('SIGKILL');
    expect(await outcome).toEqual({ kind: 'lost', reason: 'gone' });
  });
});
