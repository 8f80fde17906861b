// The counting server as a gRPC service that describes itself by reflection.
import { loadPackageDefinition, Server, ServerCredentials, status, type Metadata, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { bodyDigest, type EffectReceiver } from './effect-receiver.js';
import { EXPECTED_PLAN, plannedFault } from './planned-fault.js';

export interface GrpcFace {
  /** host:port, without TLS. */
  readonly address: string;
  close(): Promise<void>;
}

interface EffectMessage {
  readonly n: string;
  readonly fault: string;
  readonly times: number;
  readonly delayMs: number;
}

const PROTO = fileURLToPath(new URL('../proto/counting.proto', import.meta.url));

/** @param port on 127.0.0.1; 0: a free one. */
export async function startGrpcFace(receiver: EffectReceiver, port: number): Promise<GrpcFace> {
  const definition = loadSync(PROTO, { longs: String, defaults: true });
  const { counting } = loadPackageDefinition(definition) as unknown as { counting: { v1: { Effects: { service: ServiceDefinition } } } };
  const sockets = new Map<string, Socket>();
  const effect =
    (tool: string) =>
    (call: ServerUnaryCall<EffectMessage, object>, answer: sendUnaryData<object>): void => {
      void carryOut(receiver, tool, call, answer, () => sockets.get(call.getPeer())?.destroy());
    };
  const server = new Server();
  server.addService(counting.v1.Effects.service, {
    Read: effect('read'),
    Idempotent: effect('idempotent'),
    Once: effect('once'),
    Happened: ({ request: { tool, key } }: ServerUnaryCall<{ readonly tool: string; readonly key: string }, object>, answer: sendUnaryData<object>) => {
      void receiver.happened(tool, key).then((told) => answer(null, told), answer);
    },
  });
  new ReflectionService(definition).addToServer(server);
  // Connections are taken here, so that one can be cut: the library keeps its sockets to itself.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer((socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(peer, socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(peer));
    injector.injectConnection(socket);
  });
  await new Promise<void>((resolve, reject) => listener.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      server.forceShutdown();
      injector.destroy();
      for (const socket of sockets.values()) socket.destroy();
      await closed;
    },
  };
}

async function carryOut(receiver: EffectReceiver, tool: string, { request, metadata }: ServerUnaryCall<EffectMessage, object>, answer: sendUnaryData<object>, cut: () => void): Promise<void> {
  const plan = plannedFault(request);
  if (!plan) return answer({ code: status.INVALID_ARGUMENT, details: `${EXPECTED_PLAN}, but got ${JSON.stringify(request)}` });
  const text = (name: string): string | null => textOf(metadata, name);
  const arrival = { face: 'grpc' as const, tool, key: text('idempotency-key'), execution: text('weft-execution'), task: text('weft-task'), iteration: text('weft-iteration') };
  try {
    const received = await receiver.receive({ ...arrival, bodySha256: bodyDigest(JSON.stringify(request)) }, plan);
    switch (received.fault) {
      case null:
        return answer(null, received.answer);
      case 'refused':
        return answer({ code: status.FAILED_PRECONDITION, details: 'Refused as planned: nothing was done' });
      case 'error':
        return answer({ code: status.INTERNAL, details: 'Failed as planned, after the effect' });
      case 'garbled':
        return answer({ code: status.DATA_LOSS, details: 'Garbled as planned, after the effect' });
      case 'lost':
        // All that is under way on this connection is lost with it, as on a network.
        return cut();
      case 'stall':
        return;
    }
  } catch (error) {
    answer({ code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
  }
}

function textOf(metadata: Metadata, name: string): string | null {
  const [value] = metadata.get(name);
  return value === undefined ? null : String(value);
}
