import { createServer, type Server } from 'node:net';
import { expect, it } from 'vitest';
import { closeRedis, connectRedis } from './redis-connection.js';

it('connectRedis > goes on trying where nobody answers yet, tells of it, and is ready as soon as somebody does', async () => {
  const { port, server: before } = await listening(0);
  await new Promise((resolve) => before.close(resolve));
  const faults: Error[] = [];
  const redis = await connectRedis({ address: `127.0.0.1:${port}`, attemptsMax: 2, onFault: (fault) => void faults.push(fault) });
  await expect(redis.get('key')).rejects.toThrow();
  expect(faults).not.toEqual([]);
  const isReady = new Promise((resolve) => redis.once('ready', resolve));
  const { server } = await listening(port);
  await isReady;
  redis.disconnect();
  server.close();
});

it('closeRedis > ends a connection that is broken, where a goodbye alone is refused', async () => {
  const { port, server } = await listening(0);
  await new Promise((resolve) => server.close(resolve));
  const redis = await connectRedis({ address: `127.0.0.1:${port}`, attemptsMax: 1 });
  await expect(redis.quit()).rejects.toThrow();
  await expect(closeRedis(redis)).resolves.toBeUndefined();
});

/** Answers what a client asks before it is ready. */
async function listening(port: number): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((socket) => socket.on('data', (asked) => socket.write(asked.includes('info') ? '$16\r\nredis_version:7\n\r\n' : '+OK\r\n')));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server };
}
