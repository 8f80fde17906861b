import 'reflect-metadata';
import { createServer } from 'node:net';
import { Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { CommandBatch, contextOf, fromRecord, JobBatch, jsonCodec, toRecord, WorkerClient, WorkerService, type Context, type Envelope, type ResultBody, type WorkerPeer } from '@weft/contracts';
import { childContext, inSpan } from '@weft/telemetry';
import { trace, TraceFlags } from '@opentelemetry/api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcPeer, type GrpcPeer } from './grpc-peer.js';
import { contextFromMetadata, contextToMetadata } from './metadata.js';
import { PeerController } from './peer.controller.js';
import { grpcServerOptions } from './server-options.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const label = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const hex = (length: number): fc.Arbitrary<string> => fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length }).map((digits) => digits.join(''));
const amount = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
// Far ahead: a deadline that has passed is refused, which is a rule of its own.
const deadline = fc.oneof(fc.constant(0), fc.integer({ min: 4_000_000_000_000, max: Number.MAX_SAFE_INTEGER }));

const anyContext: fc.Arbitrary<Context> = fc.record({
  tenant: label,
  actor: text,
  purpose: text,
  executionId: text,
  jobId: text,
  attempt: fc.nat(1_000_000),
  traceparent: fc.tuple(hex(32), hex(16), hex(2)).map(([traceId, spanId, flags]) => `00-${traceId}-${spanId}-${flags}`),
  tracestate: text,
  deadlineMs: deadline,
  budget: fc.option(fc.record({ moneyMicros: amount, tokens: amount, calls: amount }), { nil: undefined }),
  taint: fc.array(label, { maxLength: 5 }),
});

const received: Context[] = [];

@PeerController(WorkerService, 'tools')
class WorkerController implements WorkerPeer {
  async *carryOut(_batch: JobBatch, context: Context): AsyncGenerator<CommandBatch> {
    received.push(context);
    yield CommandBatch.create();
  }
}

@Module({ controllers: [WorkerController] })
class WorkerModule {}

let server: INestMicroservice;
let worker: GrpcPeer<typeof WorkerService>;

beforeAll(async () => {
  const address = `127.0.0.1:${await freePort()}`;
  server = await NestFactory.createMicroservice<MicroserviceOptions>(WorkerModule, { ...grpcServerOptions({ address, services: [WorkerService] }), logger: false });
  await server.listen();
  worker = grpcPeer(WorkerClient, address);
});

afterAll(async () => {
  worker?.close();
  await server?.close();
});

// A field that is added to Context and forgotten here, or in one of the hops, makes these fail.
const everyField: Required<{ [K in keyof Context]: true }> = {
  tenant: true,
  actor: true,
  purpose: true,
  executionId: true,
  jobId: true,
  attempt: true,
  traceparent: true,
  tracestate: true,
  deadlineMs: true,
  budget: true,
  taint: true,
};

describe('every hop keeps every field of the context', () => {
  it('knows all fields', () => {
    expect(Object.keys(contextOf({ tenant: 't' })).sort()).toEqual(Object.keys(everyField).sort());
  });

  it('keeps them in gRPC metadata', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        expect(contextFromMetadata(contextToMetadata(context))).toEqual(context);
      }),
    );
  });

  it('keeps them over a real gRPC connection', async () => {
    await fc.assert(
      fc.asyncProperty(anyContext, async (context) => {
        received.length = 0;
        for await (const _reply of worker.peer.carryOut(JobBatch.create(), context)) continue;
        expect(received).toEqual([context]);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps them in the headers of a Kafka record', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const envelope: Envelope<ResultBody> = {
          id: 'r1',
          source: '/weft/orchestration',
          type: 'ai.weft.result.v1',
          key: 'k',
          context,
          body: { executionId: 'e', requestId: 'r', status: 'completed' },
        };
        const { headers, value } = toRecord(envelope, jsonCodec<ResultBody>());
        const delivery = fromRecord('results', { topic: 'weft.results', partition: 0, offset: '0', key: 'k', headers, value });
        expect(delivery).toMatchObject({ ok: true, envelope: { context } });
      }),
    );
  });

  it('keeps them in process, with and without a span in between', async () => {
    await fc.assert(
      fc.asyncProperty(anyContext, async (context) => {
        expect(await inSpan(undefined, 'anything', { context }, (inside) => inside)).toEqual(context);
      }),
    );
    fc.assert(
      fc.property(anyContext, (context) => {
        const span = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED });
        const { traceparent, ...others } = childContext(context, span);
        const { traceparent: _replaced, ...before } = context;
        expect(others).toEqual(before);
        expect(traceparent).toBe(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
      }),
    );
  });
});

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
