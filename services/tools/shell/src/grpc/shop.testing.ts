// A shop that describes itself over gRPC, as a process of its own would.
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, status, type Metadata, type sendUnaryData, type ServerUnaryCall, type ServerWritableStream, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

type Handler = (call: ServerUnaryCall<Record<string, unknown>, object>, answer: sendUnaryData<object>) => void;

export interface Shop {
  readonly address: string;
  readonly requests: { readonly method: string; readonly request: Record<string, unknown>; readonly metadata: Metadata }[];
  /** What the next calls are answered with instead. `none` and `two`, of Place alone: it ends well with so many answers. */
  readonly plan: ('hang' | 'cut' | 'none' | 'two' | status)[];
  close(): Promise<void>;
}

/** @param proto name of the file in proto/, which says what the shop is today. @param port 0: a free one. */
export async function startShop(proto = 'shop.proto', port = 0): Promise<Shop> {
  const definition = loadSync(fileURLToPath(new URL(`./proto/${proto}`, import.meta.url)), { longs: String, defaults: true, oneofs: true, enums: String });
  const { shop } = loadPackageDefinition(definition) as unknown as { shop: { v1: { Orders: { service: ServiceDefinition } } } };
  const requests: Shop['requests'] = [];
  const plan: Shop['plan'] = [];
  const server = new Server();
  const answered =
    (method: string, answerOf: (request: Record<string, unknown>) => object): Handler =>
    (call, answer) => {
      requests.push({ method, request: call.request, metadata: call.metadata });
      const next = plan.shift();
      if (next === 'hang') return;
      if (next === 'cut') return server.forceShutdown();
      if (typeof next === 'number') return answer({ code: next, details: 'as planned' });
      answer(null, answerOf(call.request));
    };
  const place = answered('Place', ({ id }) => ({ id }));
  // It describes Place as it should, and answers as it likes.
  server.addService(
    { ...shop.v1.Orders.service, Place: { ...shop.v1.Orders.service['Place']!, responseStream: true } },
    {
      Get: answered('Get', ({ id }) => ({
        id,
        lines: [{ sku: 'a', count: 2 }],
        status: 'PAID',
        total: '12345678901234',
        placed: { seconds: '1700000000', nanos: 0 },
        tags: { x: 'y' },
        note: { value: 'hi' },
      })),
      Place: (call: ServerWritableStream<Record<string, unknown>, object>) => {
        const [next] = plan;
        place(call as unknown as Parameters<Handler>[0], (error, value) => {
          if (error) return void call.emit('error', error);
          for (let left = next === 'none' ? 0 : next === 'two' ? 2 : 1; left > 0; left--) call.write(value ?? {});
          call.end();
        });
      },
      Watch: () => undefined,
    },
  );
  new ReflectionService(definition).addToServer(server);
  const bound = await new Promise<number>((resolve, reject) => server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, given) => (error ? reject(error) : resolve(given))));
  return { address: `127.0.0.1:${bound}`, requests, plan, close: async () => server.forceShutdown() };
}
