import { Command, contextOf, fromRecord, INLINE_BYTES_MAX, Job, payloadOf, type CommandBatch, type Delivery, type RawMessage, type TopicKey, type WorkerPeer } from '@weft/contracts';
import { MemoryPayloadStore } from '@weft/port-specs';
import { describe, expect, it } from 'vitest';
import { deadLetter, outgoing, type Bus, type Outgoing, type SubscribeOptions } from './bus.js';
import { claimCheckedBus, claimCheckedWorker, claimRedeemingWorker } from './claim-check.js';

const LARGE = 'x'.repeat(INLINE_BYTES_MAX + 1);
const context = contextOf({ tenant: 'acme', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' });

/** A bus whose messages become records and are read again, as over a broker. */
class RecordBus implements Bus {
  readonly records: RawMessage[] = [];
  readonly #subscribers: SubscribeOptions[] = [];

  async publish(messages: readonly Outgoing[]): Promise<void> {
    const batch = messages.map(({ topic, envelope, toRecord }): RawMessage => ({ topic, partition: 0, offset: String(this.records.length), key: envelope.key, ...toRecord() }));
    this.records.push(...batch);
    for (const { topic, handle } of this.#subscribers) {
      const deliveries = batch.filter((raw) => raw.topic === topic).map((raw) => fromRecord(topic.split('.')[1] as TopicKey, raw));
      if (deliveries.length > 0) await handle(deliveries);
    }
  }

  async subscribe(options: SubscribeOptions): Promise<{ close(): Promise<void> }> {
    this.#subscribers.push(options);
    return { close: async () => undefined };
  }

  async close(): Promise<void> {}
}

function checkedBus() {
  const [inner, store] = [new RecordBus(), new MemoryPayloadStore()];
  const bus = claimCheckedBus(inner, store);
  const heard: Delivery[] = [];
  const hear = (topic: string) => bus.subscribe({ topic, group: 'g', handle: async (batch) => void heard.push(...batch) });
  return { inner, store, bus, heard, hear };
}

const job = (id: string, input: unknown): Job => Job.fromPartial({ id, executionId: 'e', context, kind: 'infer', inputJson: JSON.stringify(input) });
const jobMessage = (id: string, input: unknown): Outgoing => outgoing('jobs', { id, source: '/spec', type: 't', key: 'e', context, body: job(id, input) });
const result = (id: string, output: string): Outgoing =>
  outgoing('results', { id, source: '/spec', type: 't', subject: 'r', key: 'e', context: contextOf({ tenant: 'default' }), body: { executionId: 'e', requestId: 'r', status: 'completed', output } });

describe('a claim-checked bus', () => {
  it('sends no more than the limit and delivers everything whole, asking the store once a batch', async () => {
    const { inner, store, bus, heard, hear } = checkedBus();
    await hear('weft.jobs');
    await bus.publish([jobMessage('a', LARGE), jobMessage('b', 'small'), jobMessage('c', `${LARGE}c`)]);
    for (const { value } of inner.records) expect(value.length).toBeLessThan(INLINE_BYTES_MAX);
    expect(heard.map((delivery) => delivery.ok && delivery.envelope.body)).toEqual([job('a', LARGE), job('b', 'small'), job('c', `${LARGE}c`)]);
    expect([store.puts, store.gets]).toEqual([1, 1]);
  });

  it('asks the store for nothing while messages are small', async () => {
    const { store, bus, heard, hear } = checkedBus();
    await hear('weft.jobs');
    await hear('weft.results');
    await bus.publish([jobMessage('a', 'small'), result('r', 'small')]);
    expect(heard).toHaveLength(2);
    expect([store.puts, store.gets]).toEqual([0, 0]);
  });

  it('gives a large result the dataref of its data, which anybody of the tenant may follow', async () => {
    const { inner, store, bus, heard, hear } = checkedBus();
    await hear('weft.results');
    await bus.publish([result('r', LARGE)]);
    const [record] = inner.records;
    expect(record!.value).toHaveLength(0);
    const digest = /^\/v1\/payloads\/([0-9a-f]{64})$/.exec(record!.headers['ce_dataref']!)![1]!;
    expect(JSON.parse(Buffer.from(store.bytes.get(`default/${digest}`)!).toString())).toMatchObject({ requestId: 'r', status: 'completed', output: LARGE });
    expect(record!.headers).toMatchObject({ ce_id: 'r', ce_subject: 'r', 'content-type': 'application/json' });
    expect(heard).toMatchObject([{ ok: true, envelope: { id: 'r', body: { output: LARGE } }, raw: { value: new Uint8Array() } }]);
  });

  it('hands on what it cannot make whole as a message that cannot be read', async () => {
    const { store, bus, heard, hear } = checkedBus();
    await hear('weft.jobs');
    await hear('weft.results');
    store.get = async () => new Map();
    await bus.publish([jobMessage('a', LARGE), result('r', LARGE)]);
    expect(heard).toMatchObject([
      { ok: false, rejection: { code: 'payload-missing' }, raw: { topic: 'weft.jobs' } },
      { ok: false, rejection: { code: 'payload-missing' }, raw: { topic: 'weft.results' } },
    ]);
  });

  it('hands on a batch in parts, in its order, when all of it would be too much at once', async () => {
    const { store, bus } = checkedBus();
    const parts: (readonly Delivery[])[] = [];
    await bus.subscribe({ topic: 'weft.jobs', group: 'g', handle: async (batch) => void parts.push(batch) });
    const payload = payloadOf('acme', Buffer.from('"large"'));
    await store.put([payload]);
    const claiming = (id: string, size: number): Outgoing =>
      outgoing('jobs', { id, source: '/spec', type: 't', key: 'e', context, body: { ...job(id, 'x'), claims: { claims: [{ field: 'inputJson', digest: payload.digest, size }] } } });
    const mib = 1024 * 1024;
    await bus.publish([claiming('a', 30 * mib), claiming('b', 30 * mib), jobMessage('c', 'small'), claiming('d', 30 * mib), claiming('e', 65 * mib), jobMessage('f', 'small')]);
    expect(parts.map((part) => part.map((delivery) => delivery.ok && (delivery.envelope.body as Job).id))).toEqual([['a', 'b', 'c'], ['d'], ['e'], ['f']]);
    expect(parts.flat().map((delivery) => delivery.ok && (delivery.envelope.body as Job).inputJson)).toEqual(['"large"', '"large"', '"small"', '"large"', '"large"', '"small"']);
  });

  it('takes no payload of another tenant than the one a message is of', async () => {
    const { store, bus, heard, hear } = checkedBus();
    await hear('weft.jobs');
    const secret = payloadOf('other', Buffer.from('"secret"'));
    await store.put([secret]);
    const thief = { ...job('a', 'x'), claims: { claims: [{ field: 'inputJson', digest: secret.digest, size: 8 }] } };
    await bus.publish([outgoing('jobs', { id: 'a', source: '/spec', type: 't', key: 'e', context, body: thief })]);
    expect(heard).toMatchObject([{ ok: false, rejection: { code: 'payload-missing' } }]);
  });

  it('does not follow what a request from outside refers to', async () => {
    const { inner, store, bus, heard, hear } = checkedBus();
    await hear('weft.requests');
    await bus.publish([]);
    const headers = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't', ce_dataref: `/v1/payloads/${'a'.repeat(64)}` };
    await inner.publish([{ topic: 'weft.requests', envelope: { id: '1', source: '/s', type: 't', key: '1', context, body: null }, toRecord: () => ({ headers, value: new Uint8Array() }) }]);
    expect(heard).toMatchObject([{ ok: true, envelope: { body: null } }]);
    expect(store.gets).toBe(0);
  });

  it('keeps dead letters small as well', async () => {
    const { inner, bus } = checkedBus();
    const raw: RawMessage = { topic: 'weft.requests', partition: 0, offset: '1', key: '', headers: {}, value: Buffer.from(LARGE) };
    await bus.publish([deadLetter(raw, { code: 'request-invalid', message: 'no', retryable: false }, context, 0)]);
    expect(inner.records).toMatchObject([{ topic: 'weft.requests.dead', value: new Uint8Array() }]);
  });
});

describe('a claim-checked worker', () => {
  const echo: WorkerPeer = {
    async *carryOut({ jobs }): AsyncIterable<CommandBatch> {
      yield {
        commands: jobs.map((each) => Command.fromPartial({ id: each.id, executionId: each.executionId, context: each.context, completeJob: { jobId: each.id, outputJson: each.inputJson } })),
      };
    },
  };
  const all = async (batches: AsyncIterable<CommandBatch>): Promise<readonly Command[]> => {
    const commands: Command[] = [];
    for await (const batch of batches) commands.push(...batch.commands);
    return commands;
  };

  it('takes and gives whole messages while the wire between carries small ones', async () => {
    const store = new MemoryPayloadStore();
    const wire: number[] = [];
    const served = claimRedeemingWorker(echo, store);
    const overWire: WorkerPeer = {
      async *carryOut(batch, each) {
        wire.push(...batch.jobs.map((one) => Job.encode(one).finish().length));
        for await (const reply of served.carryOut({ jobs: batch.jobs.map((one) => Job.decode(Job.encode(one).finish())) }, each)) {
          wire.push(...reply.commands.map((one) => Command.encode(one).finish().length));
          yield reply;
        }
      },
    };
    const commands = await all(claimCheckedWorker(overWire, store).carryOut({ jobs: [job('a', LARGE), job('b', 'small')] }, context));
    expect(commands.map(({ completeJob }) => completeJob?.outputJson)).toEqual([JSON.stringify(LARGE), '"small"']);
    expect(Math.max(...wire)).toBeLessThan(INLINE_BYTES_MAX);
    // The same text both ways is one payload.
    expect(store.bytes.size).toBe(1);
  });

  it('leaves out a job whose payload is gone: it is dispatched again', async () => {
    const store = new MemoryPayloadStore();
    const claimed = { ...job('a', ''), claims: { claims: [{ field: 'inputJson', digest: 'd'.repeat(64), size: 1 }] } };
    expect((await all(claimRedeemingWorker(echo, store).carryOut({ jobs: [claimed, job('b', 1)] }, context))).map(({ id }) => id)).toEqual(['b']);
  });
});
