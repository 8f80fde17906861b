// A hop on the way to a server that can stop forwarding without a word, as a broken network does.
import { createConnection, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface Door {
  readonly port: number;
  /** From now on nothing passes, in neither direction; connections stay open and new ones are taken. */
  shut(): void;
  /** What was held back passes, and all that comes. */
  open(): void;
  close(): Promise<void>;
}

/** @param port to listen on at 127.0.0.1. */
export async function startDoor(port: number, target: NetConnectOpts): Promise<Door> {
  const sockets = new Set<Socket>();
  let isShut = false;
  const track = (socket: Socket, other: () => Socket): void => {
    sockets.add(socket);
    socket.on('data', (bytes) => {
      if (!other().write(bytes)) socket.pause();
    });
    other().on('drain', () => void (isShut || socket.resume()));
    socket.on('end', () => other().end());
    socket.on('error', () => other().destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other().destroy();
    });
    if (isShut) socket.pause();
  };
  const server = createServer((near) => {
    const far = createConnection(target);
    near.setNoDelay(true);
    far.setNoDelay(true);
    track(near, () => far);
    track(far, () => near);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    port,
    shut: () => {
      isShut = true;
      for (const socket of sockets) socket.pause();
    },
    open: () => {
      isShut = false;
      for (const socket of sockets) socket.resume();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
