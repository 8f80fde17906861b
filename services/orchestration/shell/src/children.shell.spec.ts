// Executions that start each other, on a real store: one replica or two, and what a kill between start and end leaves.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { ExecutionQuery, type Command, type Execution, type Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { calls, context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration, type Work } from './orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
const open: RunningOrchestration[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

async function begin(...given: readonly [work?: Work, more?: Parameters<typeof startOrchestration>[2]]): Promise<RunningOrchestration> {
  const running = await startOrchestration(scratch.address, ...given);
  open.push(running);
  return running;
}

const run = (name: string, more: object = {}, version = '1.0.0'): object => ({ called: { run: { workflow: { namespace: 'spec', name, version, ...more } } } });

async function start(running: RunningOrchestration, name: string, tasks: readonly object[], input: Json = {}): Promise<string> {
  const definition = await running.deploy(definitionText(name, tasks));
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, definition, input));
  return executionId;
}

const endOf = (running: RunningOrchestration, executionId: string): Promise<unknown> =>
  eventually(() => running.bus.on(RESULTS, executionId)[0]?.body, { timeoutMs: 15_000, what: `the end of ${executionId}` });

const childrenOf = async (running: RunningOrchestration, parent: string, as = context()): Promise<readonly Execution[]> =>
  (await running.controller.listExecutions({ status: '', query: ExecutionQuery.fromPartial({ parent }) }, as)).executions;

describe('a workflow that runs another', () => {
  it('is answered by it, and both say which started which', async () => {
    const running = await begin();
    await running.deploy(definitionText('low', [{ done: { set: { twice: '${ .n * 2 }' } } }]));
    const executionId = await start(running, 'high', [run('low', { input: { n: '${ .n }' } })], { n: 4 });
    expect(await endOf(running, executionId)).toMatchObject({ status: 'completed', output: { twice: 8 } });
    const [child, ...others] = await childrenOf(running, executionId);
    expect(others).toEqual([]);
    expect(child).toMatchObject({ parent: executionId, root: executionId, requestSource: `/weft/executions/${executionId}`, requestId: '/do/0/called', definition: { name: 'low' } });
    expect(await running.controller.getExecution({ executionId }, context())).toMatchObject({ parent: '', children: 1 });
    expect(running.bus.on(RESULTS, child!.executionId)).toEqual([]);
  });

  it('gives its models, its budget and whoever asked for it to the other', async () => {
    const jobs: Job[] = [];
    const running = await begin((given) => {
      jobs.push(...given);
      return given.map((job) => resultOf(job, {}));
    });
    await running.deploy(definitionText('asks', calls('look')));
    const definition = await running.deploy(definitionText('passes-on', [run('asks')]));
    const executionId = newExecutionId();
    await running.send(startCommand(executionId, definition, {}, { actor: 'user:ann', purpose: 'billing', budget: { moneyMicros: 5, tokens: 6, calls: 7 }, taint: ['web'] }));
    await endOf(running, executionId);
    expect(jobs[0]!.context).toMatchObject({ tenant: 'default', actor: 'user:ann', purpose: 'billing', budget: { moneyMicros: 5, tokens: 6, calls: 7 }, taint: ['web'] });
  });

  it('takes the version that was deployed last for `latest`, once', async () => {
    const running = await begin();
    await running.deploy(definitionText('often', [{ v: { set: { v: 1 } } }], '1.0.0'));
    await running.deploy(definitionText('often', [{ v: { set: { v: 2 } } }], '2.0.0'));
    const executionId = await start(running, 'takes-latest', [run('often', {}, 'latest')]);
    expect(await endOf(running, executionId)).toMatchObject({ output: { v: 2 } });
    expect((await childrenOf(running, executionId))[0]!.definition).toMatchObject({ version: '2.0.0' });
  });

  it('sees the definitions of its own tenant alone', async () => {
    const running = await begin();
    await running.deploy(definitionText('theirs', [{ v: { set: { v: 1 } } }]), context({ tenant: 'acme' }));
    const executionId = await start(running, 'wants-theirs', [run('theirs')]);
    expect(await endOf(running, executionId)).toMatchObject({ status: 'faulted', error: { title: 'unknown-workflow', instance: '/do/0/called' } });
    expect(await childrenOf(running, executionId, context({ tenant: 'acme' }))).toEqual([]);
  });

  it('maps a list, so many at a time', async () => {
    let [now, most] = [0, 0];
    const running = await begin(async (jobs) => {
      most = Math.max(most, (now += jobs.length));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= jobs.length;
      return jobs.map((job) => resultOf(job, JSON.parse(job.inputJson) as Json));
    });
    await running.deploy(definitionText('item', [...calls('work'), { out: { set: '${ $workflow.input }' } }]));
    const executionId = await start(running, 'maps', [{ each: { call: 'map', with: { in: '${ [range(40)] }', workflow: { namespace: 'spec', name: 'item' }, concurrency: 5 } } }]);
    expect(await endOf(running, executionId)).toMatchObject({ status: 'completed', output: Array.from({ length: 40 }, (_, n) => n) });
    expect(most).toBeLessThanOrEqual(5);
  });

  it('cancels what it waits for when it is cancelled itself', async () => {
    const running = await begin();
    await running.deploy(definitionText('sleeps', [{ pause: { wait: { hours: 1 } } }]));
    const executionId = await start(running, 'waits-for-it', [run('sleeps')]);
    const [child] = await eventually(async () => {
      const found = await childrenOf(running, executionId);
      return found.length > 0 ? found : undefined;
    });
    await running.controller.operate({ executionId, operation: 'cancel', operationId: 'c1', reason: '', task: '' }, context());
    await eventually(async () => (await running.controller.getExecution({ executionId: child!.executionId }, context())).status === 'cancelled');
  });
});

describe('a start or an end that is lost with its process', () => {
  /** Commands of a kind are dropped on their way, as by a kill of the process that had them in its hands. */
  const dropping = (running: RunningOrchestration, isDropped: (command: Command) => boolean): void => {
    const { local } = running.bus;
    const publish = local.publish.bind(local);
    local.publish = (messages) => publish(messages.filter(({ topic, envelope }) => topic !== 'weft.commands' || !isDropped(envelope.body as Command)));
  };

  /** The next process, once the first has marked whatever it takes for told. */
  const after = async (first: RunningOrchestration): Promise<RunningOrchestration> => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await first.close();
    open.splice(open.indexOf(first), 1);
    return begin();
  };

  it.each<[string, (command: Command) => boolean]>([
    ['the start', ({ start }) => start?.parent !== undefined],
    ['the end', ({ endChild }) => endChild !== undefined],
  ])('%s is told again by the next process, and counts once', async (what, isDropped) => {
    const first = await begin();
    dropping(first, isDropped);
    const name = `lost-${what.replace(' ', '-')}`;
    await first.deploy(definitionText(`${name}-low`, [{ done: { set: { ok: true } } }]));
    const executionId = await start(first, name, [run(`${name}-low`)]);
    await eventually(async () => ((await pool.query(`select 1 from orchestration.waits where execution_id = $1 and kind = 'child'`, [executionId])).rowCount ?? 0) > 0);
    if (what === 'the end') await eventually(async () => (await childrenOf(first, executionId))[0]?.status === 'completed');
    const second = await after(first);
    expect(await endOf(second, executionId)).toMatchObject({ status: 'completed', output: { ok: true } });
    expect(await childrenOf(second, executionId)).toHaveLength(1);
  });

  it('a start that comes several times at once, of a child that has ended, is answered', async () => {
    const running = await begin();
    await running.deploy(definitionText('thrice-low', calls('work', 'more')));
    const executionId = await start(running, 'thrice', [run('thrice-low')]);
    await endOf(running, executionId);
    const again = running.bus.on('weft.commands').flatMap(({ body }) => ((body as Command).start?.parent ? [body as Command] : []));
    const ends = (): number => running.bus.on('weft.commands', executionId).filter(({ body }) => (body as Command).endChild !== undefined).length;
    expect(ends()).toBe(1);
    await running.send(...again, ...again, ...again);
    await eventually(() => ends() > 1, { timeoutMs: 3_000 });
  });

  it('a start that nobody waits for is told again too', async () => {
    const first = await begin();
    dropping(first, ({ start }) => start?.parent !== undefined);
    await first.deploy(definitionText('lost-beside-low', [{ done: { set: { ok: true } } }]));
    const executionId = await start(first, 'lost-beside', [{ called: { run: { await: false, workflow: { namespace: 'spec', name: 'lost-beside-low', version: '1.0.0' } } } }]);
    await endOf(first, executionId);
    const second = await after(first);
    await eventually(async () => (await childrenOf(second, executionId))[0]?.status === 'completed');
    expect(await childrenOf(second, executionId)).toHaveLength(1);
  });

  it('a child that is to stop does so in the next process', async () => {
    const first = await begin();
    await first.deploy(definitionText('lost-stop-low', [{ pause: { wait: { hours: 1 } } }]));
    const executionId = await start(first, 'lost-stop', [run('lost-stop-low')]);
    const child = await eventually(async () => (await childrenOf(first, executionId))[0]);
    dropping(first, ({ stopChild }) => stopChild !== undefined);
    await first.controller.operate({ executionId, operation: 'terminate', operationId: 't1', reason: '', task: '' }, context());
    const second = await after(first);
    await eventually(async () => (await second.controller.getExecution({ executionId: child.executionId }, context())).status === 'cancelled');
  });

  it('an event that was emitted is heard in the next process, once', async () => {
    const first = await begin();
    dropping(first, ({ receiveSignal }) => receiveSignal !== undefined);
    const tell = (name: string): object => ({ [name]: { emit: { event: { with: { type: 'lost-told', source: 'https://shop.test', data: name } } } } });
    const branches = [
      { hear: { listen: { to: { any: [{ with: { type: 'lost-told' } }], until: 'length == 2' } } } },
      { tell: { do: [tell('a'), { breath: { wait: { milliseconds: 50 } } }, tell('b')] } },
    ];
    const executionId = await start(first, 'lost-event', [{ talk: { fork: { branches } } }]);
    await eventually(() => first.bus.on('weft.lifecycle', executionId).filter(({ type }) => type === 'lost-told').length === 2);
    const second = await after(first);
    const { output } = (await endOf(second, executionId)) as { readonly output: readonly [readonly string[]] };
    expect(output[0].toSorted()).toEqual(['a', 'b']);
  });

  it('a child that one replica starts ends at another', async () => {
    const [first, second] = [await begin(), await begin()];
    // What goes out of one comes in at the other.
    const handOver = (to: RunningOrchestration, isTheirs: (command: Command) => boolean) => (command: Command) => {
      if (isTheirs(command)) void to.send(command);
      return isTheirs(command);
    };
    dropping(
      first,
      handOver(second, ({ start }) => start?.parent !== undefined),
    );
    dropping(
      second,
      handOver(first, ({ endChild }) => endChild !== undefined),
    );
    await first.deploy(definitionText('elsewhere', calls('work')));
    const ids = await Promise.all(Array.from({ length: 20 }, () => start(first, 'here', [run('elsewhere')])));
    for (const executionId of ids) expect(await endOf(first, executionId)).toMatchObject({ status: 'completed' });
    expect((await pool.query(`select count(*)::int as n from orchestration.executions where parent = any($1::uuid[])`, [ids])).rows[0]).toEqual({ n: 20 });
  });
});
