// The independent receiver of effects, as a process of its own, and a way to plant a fault on the wire before it.
import { spawn } from 'node:child_process';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import { WITH_PARENT } from '../processes/with-parent.js';

export interface Receiver {
  readonly url: string;
  stop(): Promise<void>;
}

/** The receiver itself, with the faces that its arguments ask for: MCP at `/mcp` of its URL, and gRPC. */
export interface CountingServer extends Receiver {
  /** host:port; empty without `--grpc`. */
  readonly grpc: string;
}

/** @param file where every receipt is written before it is answered. */
export async function startCountingServer(file: string, args: readonly string[]): Promise<CountingServer> {
  // In a group of its own, so that Ctrl-C reaches the command alone; its input closes when the command is gone.
  const child = spawn(process.execPath, [...WITH_PARENT, inRoot('tests', 'faults', 'dist', 'counting-server.main.js'), '--file', file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const { url, grpc = '' } = await new Promise<{ readonly url: string; readonly grpc?: string }>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (line: string) => resolve(JSON.parse(line.split('\n')[0]!) as { url: string; grpc?: string }));
    child.once('exit', (code) => reject(new CommandFailed(`Expected the counting server to start but it ended with ${code}.`, EXIT.unavailable)));
  });
  return {
    url,
    grpc,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

/** A hop that takes the idempotency key off every request: what the proof must notice. */
export const stripKeys = (target: string): Promise<Receiver> => hopTo(target, () => undefined);

/** A hop that gives every request a key of its own: as if a call had no name that stays. */
export function otherKeys(target: string): Promise<Receiver> {
  let count = 0;
  return hopTo(target, () => `other-${++count}`);
}

async function hopTo(target: string, keyOf: () => string | undefined): Promise<Receiver> {
  const server = createServer((incoming, answer) => {
    const { 'idempotency-key': _key, ...others } = incoming.headers;
    const key = keyOf();
    const headers = key === undefined ? others : { ...others, 'idempotency-key': key };
    const outgoing = forward(`${target}${incoming.url}`, { method: incoming.method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
