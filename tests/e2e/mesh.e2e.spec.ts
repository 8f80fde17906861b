// One request through the whole mesh: HTTP and Kafka in, exactly one result out, one trace over every service.
import { eventually, startModelServer, type ModelServer } from '@weft/testkit';
import { serverUnderTest } from '@weft/port-specs';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findKcat, ROOT, startMeshProcess, type MeshProcess } from './mesh-process.js';
import { startTraceReceiver, type TraceReceiver } from './trace-receiver.js';

const kafka = serverUnderTest('kafka');
const redis = serverUnderTest('redis');
const canRun = kafka.address !== undefined && redis.address !== undefined;
const isRequired = (process.env['WEFT_REQUIRE'] ?? '').split(',').includes('kafka');
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe.skipIf(!canRun && !isRequired)(`the mesh${canRun ? '' : ' (needs WEFT_KAFKA and WEFT_REDIS)'}`, () => {
  let model: ModelServer;
  let traces: TraceReceiver;
  let mesh: MeshProcess;
  const kcat = findKcat();

  beforeAll(async () => {
    expect(canRun, 'Kafka and Redis are required: set WEFT_KAFKA and WEFT_REDIS').toBe(true);
    model = await startModelServer({ script: { rules: [{ model: 'small', answer: { json: { mood: 'glad' } } }] } });
    traces = await startTraceReceiver();
    mesh = await startMeshProcess({ modelUrl: model.url, otlpEndpoint: traces.url, kafka: kafka.address!, redis: redis.address! });
    const deployed = await mesh.call('/v1/definitions', {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: readFileSync(join(ROOT, 'tests', 'e2e', 'mesh', 'workflow.yaml'), 'utf8'),
    });
    expect(deployed.status).toBe(201);
  }, 180_000);

  afterAll(async () => {
    await mesh?.stop();
    await traces?.close();
    await model?.close();
  }, 60_000);

  it('answers a request with the work of every service in it, in one trace', async () => {
    const answer = await mesh.call<{ status: string; executionId: string; output: unknown }>('/v1/requests', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'journey-1', prefer: 'wait=45', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
      body: JSON.stringify({ type: 'e2e.journey.v1', source: '/e2e', data: { who: 'ann', text: 'the parcel came and I am glad' } }),
    });
    expect(answer.body).toMatchObject({ status: 'completed', output: { who: 'ann', mood: 'glad', verdict: 'pass', tool: 'noted' } });
    const all = ['audit', 'gateway', 'memory', 'orchestration', 'routing', 'tools', 'validation'];
    const seen = await eventually(() => (traces.servicesOf(TRACE).length >= all.length ? traces.servicesOf(TRACE) : undefined), { what: 'spans of all services', timeoutMs: 15_000 }).catch(() =>
      traces.servicesOf(TRACE),
    );
    expect(seen).toEqual(all);
  }, 60_000);

  it('answers the same request with the same execution', async () => {
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'same-1', prefer: 'wait=45' },
      body: JSON.stringify({ type: 'e2e.journey.v1', source: '/e2e', data: { who: 'bea', text: 'twice' } }),
    };
    const [first, second] = [await mesh.call<{ executionId: string }>('/v1/requests', request), await mesh.call<{ executionId: string }>('/v1/requests', request)];
    expect(second.body.executionId).toBe(first.body.executionId);
  }, 60_000);

  describe.skipIf(kcat === undefined && !isRequired)(`with kcat${kcat === undefined ? ' (needs kcat)' : ''}`, () => {
    const produce = async (value: string, headers: readonly string[]): Promise<void> => {
      expect(kcat, 'kcat is required: install it').toBeDefined();
      const running = promisify(execFile)(kcat!, ['-P', '-b', kafka.address!, '-t', 'weft.requests', ...headers.flatMap((header) => ['-H', header])]);
      running.child.stdin?.end(value);
      await running;
    };
    // From the beginning to the end of the topic as it stands: one JSON line a message, headers included.
    const consume = async (topic: string): Promise<readonly { headers: readonly string[]; payload: string }[]> => {
      const { stdout } = await promisify(execFile)(kcat!, ['-C', '-b', kafka.address!, '-t', topic, '-o', 'beginning', '-e', '-q', '-J'], { maxBuffer: 64 * 1024 * 1024 });
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { headers: string[]; payload: string });
    };
    const about = (id: string) => (message: { headers: readonly string[] }) => message.headers.includes(id);
    const event = (id: string, ...more: string[]): string[] => [`ce_specversion=1.0`, `ce_id=${id}`, 'ce_source=/kcat', 'ce_type=e2e.journey.v1', 'content-type=application/json', ...more];

    it('gives an event in binary mode exactly one answer on weft.results', async () => {
      const id = `kcat-${Date.now()}`;
      await produce(JSON.stringify({ who: 'cleo', text: 'by kcat' }), event(id));
      await eventually(async () => (await consume('weft.results')).some(about(id)), { what: 'the result', timeoutMs: 30_000, intervalMs: 300 });
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const results = (await consume('weft.results')).filter(about(id));
      expect(results.map(({ payload }) => JSON.parse(payload) as { status: string; requestId: string })).toMatchObject([{ status: 'completed', requestId: id }]);
    }, 60_000);

    it('sets garbage aside with its reason while neighbours go on', async () => {
      const [before, after] = [`before-${Date.now()}`, `after-${Date.now()}`];
      await produce(JSON.stringify({ who: 'dan', text: 'before' }), event(before));
      const garbage = `this is no event ${Date.now()}`;
      await produce(garbage, []);
      await produce(JSON.stringify({ who: 'dan', text: 'after' }), event(after));
      const dead = await eventually(
        async () =>
          (await consume('weft.requests.dead')).find(({ payload }) =>
            Buffer.from((JSON.parse(payload) as { valueBase64: string }).valueBase64, 'base64')
              .toString()
              .includes(garbage),
          ),
        { what: 'the dead letter', timeoutMs: 30_000, intervalMs: 300 },
      );
      expect((JSON.parse(dead.payload) as { reason: { code: string; message: string } }).reason).toMatchObject({
        code: 'request-invalid',
        message: expect.stringContaining('Expected a CloudEvent') as string,
      });
      await eventually(
        async () => {
          const results = await consume('weft.results');
          return results.some(about(before)) && results.some(about(after));
        },
        { what: 'the neighbours’ results', timeoutMs: 30_000, intervalMs: 300 },
      );
    }, 90_000);

    it('sets an event aside that names another tenant, and gives it no result', async () => {
      const id = `other-${Date.now()}`;
      await produce(JSON.stringify({ who: 'eve', text: 'mine?' }), event(id, 'ce_wefttenant=other'));
      const dead = await eventually(async () => (await consume('weft.requests.dead')).find(({ payload }) => JSON.stringify(JSON.parse(payload)).includes(id)), {
        what: 'the dead letter',
        timeoutMs: 30_000,
        intervalMs: 300,
      });
      expect((JSON.parse(dead.payload) as { reason: { code: string } }).reason.code).toBe('wrong-tenant');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect((await consume('weft.results')).filter(about(id))).toEqual([]);
    }, 60_000);
  });
});
