import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressKind } from './address.js';
import { EgressClient } from './egress-client.js';
import { EgressPolicy, type Sender } from './egress-policy.js';

const anyone: Sender = { name: 'a model', origins: [], mayGoAnywherePublic: true };
const tool: Sender = { name: 'tool send', origins: ['http://127.0.0.1:8080', 'https://mail.example'], mayGoAnywherePublic: false };

describe('the kind of an address', () => {
  it.each([
    ['93.184.216.34', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'private'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['2002:7f00:1::', 'private'],
    ['2001:db8::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['64:ff9b::7f00:1', 'private'],
    ['::127.0.0.1', 'private'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['169.254.169.254', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
  ])('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });
});

describe('where a request may go', () => {
  const policy = new EgressPolicy(['http://10.0.0.5:4000', 'http://169.254.169.254:80']);

  it.each([
    ['a public https host, for who may go anywhere', 'https://api.example/v1', anyone],
    ['what the operator lists', 'http://10.0.0.5:4000/v1', anyone],
    ['what its tool declares', 'http://127.0.0.1:8080/x', tool],
    ['what its tool declares, with the port of the scheme', 'https://mail.example:443/x', tool],
  ])('%s', (_what, url, sender) => {
    expect(policy.passage(url, sender)).toMatchObject({ ok: true });
  });

  it.each([
    ['plain http that nobody lists', 'http://api.example/v1', anyone],
    ['a private address that nobody lists', 'https://10.0.0.6/v1', anyone],
    ['another port than the one listed', 'http://10.0.0.5:4001/v1', anyone],
    ['another scheme than the one listed', 'https://10.0.0.5:4000/v1', anyone],
    ['loopback in decimal', 'https://2130706433/', anyone],
    ['loopback in octal', 'https://0177.0.0.1/', anyone],
    ['loopback in hexadecimal', 'https://0x7f.1/', anyone],
    ['a mapped address', 'https://[::ffff:7f00:1]/', anyone],
    ['metadata, listed or not', 'http://169.254.169.254/latest', anyone],
    ['any public host, for a tool that does not declare it', 'https://api.example/', tool],
    ['the origin of another tool', 'http://10.9.9.9:1/', tool],
    ['a user name in the URL', 'https://mail.example@10.0.0.1/', tool],
    ['another scheme', 'file:///etc/passwd', tool],
    ['no URL', 'nonsense', tool],
  ])('not %s', (_what, url, sender) => {
    expect(policy.passage(url, sender)).toMatchObject({ ok: false });
  });
});

describe('the way out', () => {
  it('checks the address that a name resolves to when it connects', async () => {
    const server = createServer((_request, response) => response.end('inside'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const request = { method: 'GET', headers: {}, timeoutMs: 2_000, mayRepeat: true, url: `https://localhost:${port}/`, sender: anyone };
    const closed = new EgressClient(new EgressPolicy([]));
    expect(await closed.send(request)).toMatchObject({ kind: 'notSent', code: 'denied', message: expect.stringContaining('WEFT_EGRESS_ALLOW') });
    const open = new EgressClient(new EgressPolicy([`http://localhost:${port}`]));
    expect(await open.send({ ...request, url: `http://localhost:${port}/` })).toMatchObject({ kind: 'answered', status: 200 });
    closed.close();
    open.close();
    server.close();
    server.closeAllConnections();
  });

  it('never follows a redirect, and cuts a body that is too long', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/away') return void response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
      response.write(Buffer.alloc(2 * 1024 * 1024));
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new EgressClient(new EgressPolicy([origin]));
    const get = (path: string) => client.send({ method: 'GET', headers: {}, timeoutMs: 2_000, mayRepeat: false, url: `${origin}${path}`, sender: tool });
    expect(await get('/away')).toMatchObject({ kind: 'answered', status: 302 });
    expect(await get('/big')).toMatchObject({ kind: 'answered', status: 200, isTooLong: true });
    client.close();
    server.close();
    server.closeAllConnections();
  });

  it('replaces a kept-alive connection that was closed, where the receiver may get it twice', async () => {
    const server = createServer((request, response) => {
      response.end('x');
      // Closed after the answer without a word: the next request meets a dead connection.
      setImmediate(() => request.socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new EgressClient(new EgressPolicy([origin]));
    for (let i = 0; i < 5; i++) expect(await client.send({ method: 'GET', headers: {}, timeoutMs: 2_000, mayRepeat: true, url: origin, sender: tool })).toMatchObject({ kind: 'answered' });
    client.close();
    server.close();
    server.closeAllConnections();
  });

  it('tells what was never sent from what may have arrived', async () => {
    const client = new EgressClient(new EgressPolicy(['http://127.0.0.1:1']));
    const request = { method: 'POST', headers: {}, body: 'x', timeoutMs: 2_000, mayRepeat: false, url: 'http://127.0.0.1:1/', sender: tool };
    expect(await client.send(request)).toMatchObject({ kind: 'notSent', code: 'unreachable', retryable: true });
    expect(await client.send({ ...request, timeoutMs: 0 })).toMatchObject({ kind: 'notSent', code: 'timeout' });
    expect(await client.send({ ...request, headers: { a: 'b\nc' } })).toMatchObject({ kind: 'notSent', code: 'input-invalid' });
    client.close();
  });
});

describe('an answer that streams', () => {
  const pieces = async (body: AsyncIterable<Buffer>): Promise<string[]> => {
    const read: string[] = [];
    for await (const piece of body) read.push(piece.toString());
    return read;
  };
  const serve = async (answer: (path: string, response: ServerResponse) => void) => {
    const server = createServer((request, response) => answer(request.url ?? '', response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new EgressClient(new EgressPolicy([origin]));
    const open = async (path: string, limits: { readonly timeoutMs?: number; readonly stallMs?: number; readonly bytesMax?: number; readonly signal?: AbortSignal } = {}) => {
      const result = await client.stream({ method: 'GET', headers: {}, timeoutMs: 5_000, mayRepeat: false, url: `${origin}${path}`, sender: tool, ...limits });
      if (result.kind !== 'streaming') throw new Error(result.message);
      return result;
    };
    return {
      server,
      client,
      open,
      [Symbol.dispose]: () => {
        client.close();
        server.close();
        server.closeAllConnections();
      },
    };
  };

  it('is handed over with its head, piece by piece while it comes', async () => {
    let goOn = (): void => undefined;
    using peer = await serve((_path, response) => {
      response.writeHead(201, { 'content-type': 'text/event-stream' });
      response.write('one');
      goOn = () => response.end('two');
    });
    const stream = await peer.open('/');
    expect(stream).toMatchObject({ status: 201, headers: { 'content-type': 'text/event-stream' } });
    const body = stream.body[Symbol.asyncIterator]();
    expect((await body.next()).value?.toString()).toBe('one');
    goOn();
    expect((await body.next()).value?.toString()).toBe('two');
    expect((await body.next()).done).toBe(true);
  });

  it('says why it ended before its end', async () => {
    using peer = await serve((path, response) => {
      response.write('one');
      if (path === '/cut') setImmediate(() => response.destroy());
      if (path === '/long') response.end('x'.repeat(100));
    });
    await expect(pieces((await peer.open('/cut')).body)).rejects.toMatchObject({ reason: 'cut' });
    await expect(pieces((await peer.open('/stall', { stallMs: 20 })).body)).rejects.toMatchObject({ reason: 'stall' });
    await expect(pieces((await peer.open('/late', { timeoutMs: 50 })).body)).rejects.toMatchObject({ reason: 'timeout' });
    await expect(pieces((await peer.open('/long', { bytesMax: 50 })).body)).rejects.toMatchObject({ reason: 'size' });
    const abort = new AbortController();
    const aborted = await peer.open('/abort', { signal: abort.signal });
    abort.abort();
    await expect(pieces(aborted.body)).rejects.toMatchObject({ reason: 'timeout' });
  });

  it('ends its connection when its reader leaves', async () => {
    let closed: Promise<void> | undefined;
    using peer = await serve((_path, response) => {
      closed = new Promise((resolve) => response.on('close', () => resolve()));
      response.write('one');
    });
    for await (const piece of (await peer.open('/')).body) if (piece.toString() === 'one') break;
    await closed;
    (await peer.open('/')).discard();
    await closed;
  });
});
