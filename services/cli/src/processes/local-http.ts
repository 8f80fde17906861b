// Small HTTP servers of a command's own, on a free port of this machine.
import { createServer, request as forward, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LocalHttp {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1. Stopping it ends its connections. */
export async function startLocalHttp(answer: RequestListener): Promise<LocalHttp> {
  const server = createServer(answer);
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

/** A hop that hands every request on to an origin under changed headers, and its answer back as it comes. */
export const startHop = (target: string, changed: (headers: IncomingHttpHeaders) => IncomingHttpHeaders): Promise<LocalHttp> =>
  startLocalHttp((incoming, answer) => {
    const outgoing = forward(`${target}${incoming.url}`, { method: incoming.method, headers: changed(incoming.headers) }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    // Who asked may leave before there is an answer.
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
