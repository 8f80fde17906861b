import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { Controller, Inject, Module } from '@nestjs/common';
import { Command, CommandBatch, contextOf, JobBatch, WorkerClient, WorkerService, type Context, type Delivery, type WorkerPeer } from '@weft/contracts';
import type { Bus, SubscribeOptions } from '@weft/pipeline';
import { inSpan, traceIdOf } from '@weft/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BusTransport } from '../bus/bus.transport.js';
import { OnTopic } from '../bus/on-topic.js';
import { grpcPeer } from '../grpc/grpc-peer.js';
import { PeerController } from '../grpc/peer.controller.js';
import { grpcServerOptions } from '../grpc/server-options.js';
import { startTelemetry, tracerFor, type Telemetry } from '../telemetry/start-telemetry.js';
import { createApp, type RunningApp } from './create-app.js';

const BUS = Symbol('bus');

/** Delivers what the spec hands to it, as one batch, to whoever subscribed. */
class DirectBus implements Bus {
  readonly handlers: SubscribeOptions['handle'][] = [];
  async publish(): Promise<void> {}
  async subscribe({ handle }: SubscribeOptions): Promise<{ close(): Promise<void> }> {
    this.handlers.push(handle);
    return { close: async () => void this.handlers.splice(this.handlers.indexOf(handle), 1) };
  }
  async close(): Promise<void> {}
}

@PeerController(WorkerService, 'tools')
class WorkerController implements WorkerPeer {
  async *carryOut(_batch: JobBatch, context: Context): AsyncGenerator<CommandBatch> {
    yield CommandBatch.create({ commands: [Command.create({ id: context.traceparent })] });
  }
}

@Controller()
class JobsConsumer {
  constructor(@Inject(BUS) readonly bus: Bus) {}
  readonly seen: string[] = [];

  @OnTopic('weft.jobs', { group: 'weft.tools' })
  async onJobs(batch: readonly Delivery[]): Promise<void> {
    this.seen.push(...batch.map((delivery) => (delivery.ok ? delivery.envelope.id : 'unreadable')));
  }
}

@Module({ controllers: [WorkerController, JobsConsumer], providers: [{ provide: BUS, useClass: DirectBus }] })
class ToolsModule {}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly { traceId: string; name: string; kind: number }[] }[];
  }[];
}

let running: RunningApp;
let collector: Server;
let telemetry: Telemetry;
let address: string;
const exported: Exported[] = [];

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') exported.push(JSON.parse(Buffer.concat(chunks).toString()) as Exported);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  telemetry = startTelemetry({ otlpEndpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/` });
  address = `127.0.0.1:${await freePort()}`;
  running = await createApp({
    service: 'standalone',
    module: ToolsModule,
    http: { port: 0 },
    transports: (app) => [grpcServerOptions({ address, services: [WorkerService] }), { strategy: new BusTransport(app.get<Bus>(BUS)) }],
  });
});

afterAll(async () => {
  await running?.close(3_000);
  await telemetry?.close();
  collector?.close();
});

describe('one application with HTTP, gRPC and the bus', () => {
  it('takes work in on all three, and one trace with each service by its name reaches the collector', async () => {
    const tools = grpcPeer(WorkerClient, address, { service: 'orchestration' });
    const inside = await inSpan(tracerFor('gateway'), 'request', { kind: 'server', context: contextOf({ tenant: 'acme' }) }, async (context) => {
      for await (const reply of tools.peer.carryOut(JobBatch.create(), context)) return reply.commands[0]!.id;
      return '';
    });
    tools.close();
    await telemetry.flush();
    const spans = exported.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans.map(({ traceId, name }) => ({ service: resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue, name, traceId }))),
      ),
    );
    const traceId = traceIdOf(inside);
    expect(spans.sort((a, b) => a.service!.localeCompare(b.service!))).toEqual([
      { service: 'gateway', name: 'request', traceId },
      { service: 'orchestration', name: 'weft.v1.Worker/carryOut', traceId },
      { service: 'tools', name: 'weft.v1.Worker/carryOut', traceId },
    ]);
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
  });

  it('hands batches of the bus to its consumers until the intake is closed, and none after that', async () => {
    const bus = running.app.get<DirectBus>(BUS);
    const delivery: Delivery = { ok: true, envelope: { id: 'j1', source: '/weft/orchestration', type: 't', key: 'k', context: contextOf({ tenant: 'acme' }), body: null } };
    await Promise.all(bus.handlers.map((handle) => handle([delivery])));
    expect(running.app.get(JobsConsumer).seen).toEqual(['j1']);
    // What ends while the intake closes may still bring its result over the bus.
    running.shutdown.on('intake', 'a last job', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await Promise.all(bus.handlers.map((handle) => handle([delivery])));
    });
    const report = await running.close(3_000);
    expect(report.unfinished).toEqual([]);
    expect(running.app.get(JobsConsumer).seen).toEqual(['j1', 'j1']);
    expect(bus.handlers).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createSocketServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
