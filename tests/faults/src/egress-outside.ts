// The outside of an egress proof: a place that may be reached, a sink that may not, and a file with what came. Shares no code with what it judges.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { startDnsStandIn } from './dns-stand-in.js';

/** One line of the file. */
export type Arrival =
  /** A connection to the sink, whatever it then says. `to`: the local address that it went to. */
  | { readonly at: 'sink'; readonly to: string }
  /** A request to where requests may go. */
  | { readonly at: 'allowed'; readonly path: string };

/** What stands outside. */
export interface EgressOutside {
  /** Of the allowed place, without a path. */
  readonly url: string;
  /** Of the sink, on every address of the machine. */
  readonly sinkPort: number;
  /** The name server, `127.0.0.1:port`. */
  readonly dns: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts it. The allowed place answers `GET /ok/ID` with its path, `GET /redirect/HOPS/STATUS/TO` with redirects to itself and at last to TO,
 * and anything else with a chat completion, so that a model may be asked there too.
 * @param file where every arrival is on the disk before it is answered.
 */
export async function startEgressOutside(file: string): Promise<EgressOutside> {
  const written = openSync(file, 'a');
  const arrived = (arrival: Arrival): void => {
    writeSync(written, `${JSON.stringify(arrival)}\n`);
    fsyncSync(written);
  };
  const sink = createServer((socket: Socket) => {
    arrived({ at: 'sink', to: socket.localAddress ?? '' });
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\ninside');
  });
  const allowed = createHttpServer((request, response) => {
    arrived({ at: 'allowed', path: request.url ?? '' });
    answer(request, response);
  });
  // Of both families, on every address: whichever form of "this machine" is used leads here.
  await new Promise<void>((resolve, reject) => sink.once('error', reject).listen(0, '::', resolve));
  await new Promise<void>((resolve, reject) => allowed.once('error', reject).listen(0, '127.0.0.1', resolve));
  const dns = await startDnsStandIn();
  return {
    url: `http://127.0.0.1:${(allowed.address() as AddressInfo).port}`,
    sinkPort: (sink.address() as AddressInfo).port,
    dns: dns.address,
    close: async () => {
      allowed.closeAllConnections();
      await Promise.all([new Promise((resolve) => sink.close(resolve)), new Promise((resolve) => allowed.close(resolve)), dns.close()]);
      closeSync(written);
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '';
  const [, hops, status, to] = /^\/redirect\/(\d+)\/(\d+)\/(.*)$/.exec(path) ?? [];
  if (hops !== undefined && status !== undefined && to !== undefined) {
    const location = Number(hops) > 1 ? `/redirect/${Number(hops) - 1}/${status}/${to}` : decodeURIComponent(to);
    // Not every text can be a header: such a one leads nowhere.
    const safe = /^[\t\x20-\x7e\x80-\xff]*$/.test(location) ? location : encodeURI(location);
    return void response.writeHead(Number(status), { location: safe }).end();
  }
  if (path.startsWith('/ok/')) return void response.writeHead(200, { 'content-type': 'text/plain' }).end(path);
  const message = { role: 'assistant', content: 'reached' };
  const completion = {
    id: '1',
    object: 'chat.completion',
    created: 0,
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion)));
}
