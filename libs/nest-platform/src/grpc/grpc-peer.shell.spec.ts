import 'reflect-metadata';
import { Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import {
  Command,
  CommandBatch,
  contextOf,
  DecideRequest,
  JobBatch,
  OrchestrationClient,
  OrchestrationService,
  Review,
  WorkerClient,
  WorkerService,
  type Context,
  type OrchestrationPeer,
  type WorkerPeer,
} from '@weft/contracts';
import { Refused, rejection } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configureLog } from '../log/log.js';
import { grpcPeer, type GrpcPeer } from './grpc-peer.js';
import { PeerController } from './peer.controller.js';
import { grpcServerOptions } from './server-options.js';

/** What the peers on the other side do next, and what they were told. */
const script = {
  contexts: [] as Context[],
  unavailable: (): string | undefined => undefined,
  decide: async (): Promise<Review> => Review.create(),
  carryOut: async function* (): AsyncGenerator<CommandBatch> {},
};

// One method of a generated service under a name of its own: the contracts may grow without touching this spec.
const ReviewsService = { decide: { ...OrchestrationService.decide, path: '/weft.spec.Reviews/Decide' } } as const;

@PeerController(ReviewsService, 'orchestration')
class ReviewsController {
  unavailable(): string | undefined {
    return script.unavailable();
  }

  decide(_request: DecideRequest, context: Context): Promise<Review> {
    script.contexts.push(context);
    return script.decide();
  }
}

@PeerController(WorkerService, 'tools')
class WorkerController implements WorkerPeer {
  carryOut(_batch: JobBatch, context: Context): AsyncIterable<CommandBatch> {
    script.contexts.push(context);
    return script.carryOut();
  }
}

@Module({ controllers: [ReviewsController, WorkerController] })
class PeersModule {}

const context = contextOf({ tenant: 'acme', executionId: '0190aaaa-0000-7000-8000-000000000000' });
const ask = DecideRequest.create();
const jobs = JobBatch.create();

let server: INestMicroservice;
let orchestration: GrpcPeer<typeof ReviewsService>;
let worker: GrpcPeer<typeof WorkerService>;
let address: string;
const lines: string[] = [];

beforeAll(async () => {
  configureLog({ format: 'json', write: (line) => void lines.push(line) });
  address = `127.0.0.1:${await freePort()}`;
  server = await NestFactory.createMicroservice<MicroserviceOptions>(PeersModule, { ...grpcServerOptions({ address, services: [ReviewsService, WorkerService] }), logger: false });
  await server.listen();
  orchestration = grpcPeer({ service: ReviewsService }, address, { deadlineMs: 2_000 });
  worker = grpcPeer(WorkerClient, address);
});

afterAll(async () => {
  orchestration?.close();
  worker?.close();
  await server?.close();
  configureLog({});
});

beforeEach(() => {
  script.contexts.length = 0;
  lines.length = 0;
});

describe('grpcPeer against Nest', () => {
  it('answers a call with the reply of the controller, and hands the context over', async () => {
    script.decide = async () => Review.create({ reviewId: 'r1' });
    await expect(orchestration.peer.decide(ask, context)).resolves.toMatchObject({ reviewId: 'r1' });
    expect(script.contexts).toEqual([context]);
  });

  it('types a peer exactly as the contracts do', () => {
    const connection = grpcPeer(OrchestrationClient, address);
    const asContract: OrchestrationPeer = connection.peer;
    const workerAsContract: WorkerPeer = worker.peer;
    expect(asContract.decide).toBeTypeOf('function');
    expect(workerAsContract.carryOut).toBeTypeOf('function');
    connection.close();
  });

  it('streams replies while they come, not when all are there', async () => {
    let release: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (release = resolve));
    script.carryOut = async function* () {
      yield batchOf('one');
      await later;
      yield batchOf('two');
    };
    const seen: string[] = [];
    for await (const reply of worker.peer.carryOut(jobs, context)) {
      seen.push(reply.commands[0]!.id);
      release();
    }
    expect(seen).toEqual(['one', 'two']);
  });

  it('keeps all replies in order when the reader is slower than the peer', async () => {
    script.carryOut = async function* () {
      for (let i = 0; i < 300; i++) yield batchOf(`${i}`, 'x'.repeat(10_000));
    };
    const seen: string[] = [];
    for await (const reply of worker.peer.carryOut(jobs, context)) {
      seen.push(reply.commands[0]!.id);
      if (seen.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`));
  });

  it('pulls no further than the connection takes', async () => {
    let pulled = 0;
    script.carryOut = async function* () {
      for (; pulled < 2_000; pulled++) yield batchOf(`${pulled}`, 'x'.repeat(100_000));
    };
    const replies = worker.peer.carryOut(jobs, context)[Symbol.asyncIterator]();
    await replies.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(pulled).toBeLessThan(200);
    await replies.return?.();
  });

  it('lets the peer clean up when the reader leaves', async () => {
    let left: () => void = () => undefined;
    const cleaned = new Promise<void>((resolve) => (left = resolve));
    script.carryOut = async function* () {
      try {
        for (;;) {
          yield batchOf('again');
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        left();
      }
    };
    for await (const _reply of worker.peer.carryOut(jobs, context)) break;
    await cleaned;
  });

  it('rebuilds a refusal with all its parts, from a call and from a stream', async () => {
    const refusal = rejection('review-not-open', 'Expected an open review but it is decided — “ünicode”.', { retryable: true, retryAfterMs: 1500, details: { reviewId: 'r1', at: ['/do/0'] } });
    script.decide = () => Promise.reject(new Refused(refusal));
    const refused = await failureOf(orchestration.peer.decide(ask, context));
    expect(refused).toBeInstanceOf(Refused);
    expect((refused as Refused).rejection).toEqual(refusal);
    script.carryOut = async function* () {
      yield batchOf('one');
      throw new Refused(refusal);
    };
    const streamed = await failureOf(drain(worker.peer.carryOut(jobs, context)));
    expect((streamed as Refused).rejection).toEqual(refusal);
    expect(lines).toEqual([]);
  });

  it('drops the details of a refusal that is too large for a trailer, and keeps its code', async () => {
    script.decide = () => Promise.reject(new Refused(rejection('workflow-invalid', 'Expected x but y. '.repeat(500), { details: { all: 'x'.repeat(50_000) } })));
    const refused = (await failureOf(orchestration.peer.decide(ask, context))) as Refused;
    expect(refused.rejection).toMatchObject({ code: 'workflow-invalid', retryable: false });
    expect(refused.rejection.details).toBeUndefined();
  });

  it('tells nothing of an unexpected error but logs it with its context', async () => {
    script.decide = () => Promise.reject(new TypeError('the secret inside'));
    const fault = await failureOf(orchestration.peer.decide(ask, context));
    expect(fault).toBeInstanceOf(Fault);
    expect((fault as Fault).retryable).toBe(false);
    expect((fault as Fault).message).not.toContain('secret');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining({ level: 'error', service: 'orchestration', tenant: 'acme', execution: context.executionId })]);
  });

  it('answers a retryable fault of the peer as a retryable fault', async () => {
    script.decide = () => Promise.reject(new Fault('the store is away', true));
    const fault = await failureOf(orchestration.peer.decide(ask, context));
    expect(fault).toBeInstanceOf(Fault);
    expect((fault as Fault).retryable).toBe(true);
  });

  it('gives up at the deadline of the context when it is earlier than its own', async () => {
    script.decide = () => new Promise(() => undefined);
    const startedAt = Date.now();
    const fault = await failureOf(orchestration.peer.decide(ask, { ...context, deadlineMs: startedAt + 150 }));
    expect((fault as Fault).retryable).toBe(true);
    expect(Date.now() - startedAt).toBeLessThan(1_500);
  });

  it('is a retryable fault when nobody listens, and works again once somebody does', async () => {
    const port = await freePort();
    const lonely = grpcPeer({ service: ReviewsService }, `127.0.0.1:${port}`, { deadlineMs: 1_000 });
    const fault = await failureOf(lonely.peer.decide(ask, context));
    expect((fault as Fault).retryable).toBe(true);
    script.decide = async () => Review.create({ reviewId: 'late' });
    const late = await NestFactory.createMicroservice<MicroserviceOptions>(PeersModule, { ...grpcServerOptions({ address: `127.0.0.1:${port}`, services: [ReviewsService] }), logger: false });
    await late.listen();
    await lonely.ready(5_000);
    await expect(lonely.peer.decide(ask, context)).resolves.toMatchObject({ reviewId: 'late' });
    lonely.close();
    await late.close();
  });
});

describe('a peer with several replicas', () => {
  const both: { addresses: string; others: INestMicroservice[] } = { addresses: '', others: [] };

  beforeAll(async () => {
    const second = `127.0.0.1:${await freePort()}`;
    const other = await NestFactory.createMicroservice<MicroserviceOptions>(PeersModule, { ...grpcServerOptions({ address: second, services: [ReviewsService, WorkerService] }), logger: false });
    await other.listen();
    both.others.push(other);
    both.addresses = `${address},${second}`;
  });
  afterAll(async () => void (await Promise.all(both.others.map((other) => other.close()))));

  it('is asked again elsewhere when one of them says nothing', async () => {
    const peer = grpcPeer({ service: ReviewsService }, both.addresses, { askAnother: { afterMs: 100, calls: ['decide'] }, deadlineMs: 5_000 });
    let asked = 0;
    script.decide = () => (asked++ === 0 ? new Promise(() => undefined) : Promise.resolve(Review.create({ reviewId: `answer ${asked}` })));
    await expect(peer.peer.decide(ask, context)).resolves.toMatchObject({ reviewId: 'answer 2' });
    peer.close();
  });

  it('is asked elsewhere at once when one of them cannot do it now', async () => {
    const peer = grpcPeer({ service: ReviewsService }, both.addresses, { askAnother: { afterMs: 60_000, calls: ['decide'] }, deadlineMs: 5_000 });
    let asked = 0;
    script.decide = () => (asked++ === 0 ? Promise.reject(new Fault('the store is away', true)) : Promise.resolve(Review.create({ reviewId: 'there' })));
    await expect(peer.peer.decide(ask, context)).resolves.toMatchObject({ reviewId: 'there' });
    peer.close();
  });

  it('is asked nowhere else for a call that may not be made twice', async () => {
    const peer = grpcPeer({ service: ReviewsService }, both.addresses, { askAnother: { afterMs: 50, calls: [] }, deadlineMs: 300 });
    script.decide = () => new Promise(() => undefined);
    expect(await failureOf(peer.peer.decide(ask, context))).toMatchObject({ name: 'Fault', retryable: true });
    expect(script.contexts).toHaveLength(1);
    peer.close();
    expect(() => grpcPeer(WorkerClient, both.addresses, { askAnother: { afterMs: 50, calls: ['carryOut'] } })).toThrow('Expected calls of weft.v1.Worker that answer once');
  });

  it('is asked elsewhere at once when one of them says that it is not available', async () => {
    const peer = grpcPeer({ service: ReviewsService }, both.addresses, { askAnother: { afterMs: 60_000, calls: ['decide'] }, deadlineMs: 5_000 });
    let asked = 0;
    script.unavailable = () => (asked++ === 0 ? 'its store is away' : undefined);
    script.decide = async () => Review.create({ reviewId: 'there' });
    await expect(peer.peer.decide(ask, context)).resolves.toMatchObject({ reviewId: 'there' });
    expect(script.contexts).toHaveLength(1);
    script.unavailable = () => undefined;
    peer.close();
  });

  it('is believed when it refuses', async () => {
    const peer = grpcPeer({ service: ReviewsService }, both.addresses, { askAnother: { afterMs: 100, calls: ['decide'] } });
    script.decide = async () => {
      throw new Refused(rejection('not-found', 'Expected a review but there is none.'));
    };
    expect(await failureOf(peer.peer.decide(ask, context))).toBeInstanceOf(Refused);
    expect(script.contexts).toHaveLength(1);
    peer.close();
  });

  it('answers through those that are left when one has gone', async () => {
    const peer = grpcPeer({ service: ReviewsService }, both.addresses, { deadlineMs: 5_000, askAnother: { afterMs: 1_000, calls: ['decide'] } });
    script.decide = async () => Review.create({ reviewId: 'left' });
    await peer.peer.decide(ask, context);
    await both.others.pop()!.close();
    for (let call = 0; call < 4; call++) await expect(peer.peer.decide(ask, context)).resolves.toMatchObject({ reviewId: 'left' });
    peer.close();
  });

  it('is not made of names, which gRPC resolves one at a time', () => {
    expect(() => grpcPeer({ service: ReviewsService }, 'one.example:1,two.example:2')).toThrow('Expected IP addresses');
  });
});

function batchOf(id: string, filling = ''): CommandBatch {
  return CommandBatch.create({ commands: [Command.create({ id, executionId: filling })] });
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error,
  );
}

async function drain(replies: AsyncIterable<unknown>): Promise<void> {
  for await (const _reply of replies) continue;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
