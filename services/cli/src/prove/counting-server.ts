// The independent receiver of effects, as a process of its own, and a way to plant a fault on the wire before it.
import { spawn } from 'node:child_process';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import { startHop, type LocalHttp } from '../processes/local-http.js';
import { WITH_PARENT } from '../processes/with-parent.js';

export type Receiver = LocalHttp;

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

const hopTo = (target: string, keyOf: () => string | undefined): Promise<Receiver> =>
  startHop(target, ({ 'idempotency-key': _key, ...others }) => {
    const key = keyOf();
    return key === undefined ? others : { ...others, 'idempotency-key': key };
  });
