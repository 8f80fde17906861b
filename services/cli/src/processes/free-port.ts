import { createServer, type AddressInfo } from 'node:net';

/** Ports of the loopback interface that nobody listens on, all different. Somebody may take one before it is used. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const TRIES = 50;

/** The first port from this one on that is free together with the port after it; the first itself when none is. */
export async function freePair(first: number): Promise<number> {
  for (let port = first; port < first + TRIES * 2; port += 2) {
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  return first;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
