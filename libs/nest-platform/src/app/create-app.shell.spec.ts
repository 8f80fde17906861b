import 'reflect-metadata';
import { Body, Controller, Get, Module, Post, Req } from '@nestjs/common';
import { refuse } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HealthChecks } from '../health/health-checks.js';
import { configureLog } from '../log/log.js';
import { createApp, type RunningApp } from './create-app.js';
import { Shutdown } from './shutdown.js';

const order: string[] = [];
const lines: string[] = [];
let storeAnswers: () => Promise<void>;
let release: () => void;

@Controller()
class ThingsController {
  @Get('refused')
  refused(): never {
    refuse('no-route', 'Expected a route for type "x" but no rule matches.', { details: { type: 'x' } });
  }

  @Get('limited')
  limited(): never {
    refuse('rate-limited', 'Expected at most 5 requests a second but got more.', { retryable: true, retryAfterMs: 1_200 });
  }

  @Get('away')
  away(): never {
    throw new Fault('connection refused by 10.0.0.7', true);
  }

  @Get('broken')
  broken(): never {
    throw new TypeError('undefined is not a secret function');
  }

  @Get('slow')
  async slow(): Promise<{ done: boolean }> {
    await new Promise<void>((resolve) => (release = resolve));
    return { done: true };
  }

  @Post('echo')
  echo(@Body() body: unknown, @Req() request: { rawBody?: Buffer }): unknown {
    return { body: Buffer.isBuffer(body) ? `bytes ${body.length}` : body, raw: request.rawBody?.toString() };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {
  constructor(health: HealthChecks, shutdown: Shutdown) {
    health.register('things store', () => storeAnswers(), 50);
    shutdown.on('stores', 'first store', () => void order.push('first store'));
    shutdown.on('stores', 'second store', () => void order.push('second store'));
    shutdown.on('work', 'lanes', () => void order.push('lanes'));
    shutdown.on('workers', 'jobs', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('jobs');
    });
    shutdown.on('intake', 'door', () => void order.push('door'));
  }
}

let running: RunningApp;

beforeEach(async () => {
  order.length = 0;
  lines.length = 0;
  configureLog({ format: 'json', write: (line) => void lines.push(line) });
  storeAnswers = async () => undefined;
  running = await createApp({ service: 'things', module: ThingsModule, http: { port: 0, bodyBytesMax: 2_000 } });
});
afterEach(async () => {
  await running.close(2_000);
  configureLog({});
});

async function problem(path: string, init?: RequestInit): Promise<{ response: Response; body: Record<string, unknown> }> {
  const response = await fetch(`${running.url}${path}`, init);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return { response, body: (await response.json()) as Record<string, unknown> };
}

const post = (body: string, type = 'application/json'): RequestInit => ({ method: 'POST', body, headers: { 'content-type': type } });

describe('createApp answers what went wrong', () => {
  it('with the status and code of a refusal', async () => {
    const { response, body } = await problem('/refused');
    expect(response.status).toBe(422);
    expect(body).toEqual({
      type: 'urn:weft:error:no-route',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'Expected a route for type "x" but no rule matches.',
      code: 'no-route',
      retryable: false,
      details: { type: 'x' },
    });
  });

  it('with Retry-After in whole seconds when there is something to wait for', async () => {
    const { response, body } = await problem('/limited');
    expect([response.status, response.headers.get('retry-after'), body['retryAfterMs']]).toEqual([429, '2', 1_200]);
  });

  it('with 503 when a part of Weft is away, and without saying where', async () => {
    const { response, body } = await problem('/away');
    expect([response.status, body['code']]).toEqual([503, 'overloaded']);
    expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  });

  it('with 500 and nothing of the error, which is logged', async () => {
    const { response, body } = await problem('/broken');
    expect([response.status, body['code']]).toEqual([500, 'internal']);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining({ level: 'error', service: 'things', path: '/broken' })]);
  });

  it('with a sentence for an unknown path', async () => {
    const { response, body } = await problem('/nowhere');
    expect([response.status, body['code'], body['detail']]).toEqual([404, 'not-found', 'Expected a known path but there is no GET /nowhere.']);
  });

  it('with a sentence for a body that is too large', async () => {
    const { response, body } = await problem('/echo', post(JSON.stringify('x'.repeat(5_000))));
    expect([response.status, body['code'], body['detail']]).toEqual([413, 'request-too-large', 'Expected a body of at most 2000 bytes but it has 5002.']);
  });

  it('with a sentence for a body that is no JSON', async () => {
    const { response, body } = await problem('/echo', post('{"a":'));
    expect([response.status, body['code']]).toEqual([400, 'request-invalid']);
    expect(body['detail']).toContain('Expected the body to be JSON');
  });
});

describe('createApp reads bodies', () => {
  it('as JSON for any JSON type, and keeps the bytes', async () => {
    const response = await fetch(`${running.url}/echo`, post('{"a": 1}', 'application/cloudevents+json'));
    expect(await response.json()).toEqual({ body: { a: 1 }, raw: '{"a": 1}' });
  });

  it('as bytes for any other type', async () => {
    const response = await fetch(`${running.url}/echo`, post('do: []', 'application/yaml'));
    expect(await response.json()).toEqual({ body: 'bytes 6', raw: 'do: []' });
  });
});

describe('health', () => {
  it('is live and ready when every check passes', async () => {
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
    const ready = await fetch(`${running.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'ready', checks: [{ name: 'things store', ok: true, ms: expect.any(Number) }] });
  });

  it('is not ready but live while a check fails or hangs', async () => {
    storeAnswers = () => Promise.reject(new Error('no store'));
    const failing = await fetch(`${running.url}/health/ready`);
    expect([failing.status, await failing.json()]).toMatchObject([503, { status: 'not-ready', checks: [{ ok: false, reason: 'no store' }] }]);
    storeAnswers = () => new Promise(() => undefined);
    const hanging = await fetch(`${running.url}/health/ready`);
    expect([hanging.status, await hanging.json()]).toMatchObject([503, { checks: [{ ok: false, reason: 'no answer within 50 ms' }] }]);
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
  });

  it('is not ready once shutdown is announced', async () => {
    running.shutdown.announce();
    const ready = await fetch(`${running.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining', checks: [] }]);
  });
});

describe('closing', () => {
  it('stops intake, lets workers end their jobs, then ends the work, then closes stores, the newest first', async () => {
    const report = await running.close(2_000);
    expect(order).toEqual(['door', 'jobs', 'lanes', 'second store', 'first store']);
    expect(report.unfinished).toEqual([]);
  });

  it('lets a request under way end with its answer', async () => {
    const answer = fetch(`${running.url}/slow`);
    await expect.poll(() => release).toBeTypeOf('function');
    const closed = running.close(2_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    expect(await (await answer).json()).toEqual({ done: true });
    expect((await closed).unfinished).toEqual([]);
    await expect(fetch(`${running.url}/health/live`)).rejects.toThrow();
  });

  it('names what did not end in time and goes on', async () => {
    running.shutdown.on('work', 'a loop that hangs', () => new Promise(() => undefined));
    const report = await running.close(100);
    expect(report.unfinished.map(({ step }) => step)).toEqual(['a loop that hangs']);
    expect(order.at(-1)).toBe('first store');
  });
});
