import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePorts } from '../processes/free-port.js';
import { startDoor, type Door } from './door.js';

let echo: Server;
let door: Door;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const [port] = await freePorts(1);
  door = await startDoor(port!, { host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await door.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function client(): Promise<{ readonly socket: Socket; readonly heard: () => string }> {
  const socket = connect(door.port, '127.0.0.1');
  clients.push(socket);
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, heard: () => heard };
}
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

describe('a door', () => {
  it('lets everything pass, both ways and in order', async () => {
    const { socket, heard } = await client();
    const text = 'x'.repeat(1_000_000);
    socket.write(text);
    socket.write('end');
    await vi.waitFor(() => expect(heard().length).toBe(text.length + 3), { timeout: 5_000 });
    expect(heard().endsWith('xend')).toBe(true);
  });

  it('holds everything back while it is shut, takes connections all the same, and gives it all when it opens', async () => {
    const before = await client();
    before.socket.write('a');
    await vi.waitFor(() => expect(before.heard()).toBe('a'));
    door.shut();
    before.socket.write('b');
    const during = await client();
    during.socket.write('c');
    await aWhile();
    expect([before.heard(), during.heard(), before.socket.destroyed]).toEqual(['a', '', false]);
    door.open();
    await vi.waitFor(() => expect([before.heard(), during.heard()]).toEqual(['ab', 'c']));
  });

  it('ends a connection whose other end is gone', async () => {
    const { socket } = await client();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    await closed;
  });
});
