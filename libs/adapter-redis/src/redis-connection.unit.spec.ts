import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { connectRedis } from './redis-connection.js';

it('connectRedis > gives up with a fault that names the address when nobody answers', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  await expect(connectRedis({ address: `127.0.0.1:${port}`, attemptsMax: 2 })).rejects.toMatchObject({
    name: 'Fault',
    retryable: true,
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});
