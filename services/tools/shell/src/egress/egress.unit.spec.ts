import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressKind, nat64Prefix } from './address.js';
import { EgressClient } from './egress-client.js';
import { EgressPolicy, type Sender } from './egress-policy.js';
import { nameLookup, type NameLookup } from './name-lookup.js';

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
    ['::ffff:0:169.254.169.254', 'forbidden'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['64:ff9b:1::8.8.8.8', 'forbidden'],
    ['2002:a9fe:a9fe::1', 'forbidden'],
    ['2001:0:1:2:3:4:5601:5601', 'forbidden'],
    ['2001:0:a9fe:a9fe::1', 'forbidden'],
    ['2606:4700::5efe:10.0.0.1', 'private'],
    ['fec0::1', 'private'],
    ['100::1', 'private'],
    ['255.255.255.255', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['no address', 'forbidden'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
  ])('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });
});

describe('a NAT64 prefix of the operator', () => {
  it.each([
    ['2001:db8:64::/96', '2001:db8:64::10.0.0.1'],
    ['2606:4700:64::/48', '2606:4700:64:0a00:0000:0100::'],
    ['2606:4700::/32', '2606:4700:0a00:0001::'],
    ['2606:4700:64:1::/64', '2606:4700:64:1:000a:0000:0100::'],
  ])('%s judges %s by the IPv4 address in it', (prefix, address) => {
    expect(addressKind(address, [nat64Prefix(prefix)!])).toBe('private');
    expect(
      addressKind(address.replace('10.0.0.1', '8.8.8.8').replace('0a00:0000:0100', '0808:0008:0800').replace('0a00:0001', '0808:0808').replace('000a:0000:0100', '0008:0808:0800'), [
        nat64Prefix(prefix)!,
      ]),
    ).toBe('public');
  });

  it('has one of the lengths that there are', () => {
    expect(nat64Prefix('2001:db8::/95')).toBeUndefined();
    expect(nat64Prefix('10.0.0.0/96')).toBeUndefined();
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
    ['a port of another protocol', 'https://api.example:6667/', anyone],
    ['a port below 1024 that is not the one of https', 'https://api.example:25/', anyone],
    ['full-width digits that spell the loopback', 'https://１２７.０.０.１/', anyone],
    ['a trailing dot after the loopback', 'https://127.0.0.1./', anyone],
    ['an address with a zone', 'https://[fe80::1%25eth0]/', anyone],
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

  it('connects another protocol to the name that it judged, however a broker writes its own', async () => {
    const looked: string[] = [];
    const lookup: NameLookup = async (name) => {
      looked.push(name);
      throw new Error('nowhere');
    };
    const client = new EgressClient(new EgressPolicy(['http://kafka.test:9092']), lookup);
    const failed = (host: string, port = 9092): Promise<string> =>
      new Promise((resolve) => client.connect({ host, port, isSecure: false }, { ...tool, name: 'a call' }, () => resolve('connected')).once('error', (error) => resolve(error.message)));
    expect(await failed('kafka.test')).toBe('nowhere');
    // As a URL this is kafka.test; as a name it would be one of evil.test.
    expect(await failed('kafka.test:9092?x.evil.test')).toBe('nowhere');
    expect(await failed('kafka.test:9092/x.evil.test')).toBe('nowhere');
    expect(looked).toEqual(['kafka.test', 'kafka.test', 'kafka.test']);
    expect(await failed('evil.test')).toContain('WEFT_EGRESS_ALLOW');
    expect(await failed('169.254.169.254')).toContain('WEFT_EGRESS_ALLOW');
  });

  it('follows no redirect unasked, and cuts a body that is too long', async () => {
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

  it('does not say that nothing was sent when a kept-alive connection took the request and the next connection is refused', async () => {
    let received = 0;
    const server = createServer((request, response) => {
      received += 1;
      if (received === 1) return void response.end('x');
      // It has done what was asked, answers nothing and is gone.
      server.close();
      request.socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new EgressClient(new EgressPolicy([origin]));
    const send = () => client.send({ method: 'PUT', headers: {}, body: '1', timeoutMs: 2_000, mayRepeat: true, url: origin, sender: tool });
    expect(await send()).toMatchObject({ kind: 'answered' });
    expect(await send()).toMatchObject({ kind: 'lost', reason: 'cut' });
    expect(received).toBe(2);
    client.close();
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
    const open = async (
      path: string,
      limits: { readonly timeoutMs?: number; readonly stallMs?: number; readonly bytesMax?: number; readonly signal?: AbortSignal; readonly mayRepeat?: boolean } = {},
    ) => {
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

  it('leaves the connection alone when it is called off after its end', async () => {
    using peer = await serve((_path, response) => response.end('one'));
    for (let round = 0; round < 20; round++) {
      const abort = new AbortController();
      const stream = await peer.open('/', { signal: abort.signal, mayRepeat: true });
      const body = stream.body[Symbol.asyncIterator]();
      expect((await body.next()).value?.toString()).toBe('one');
      // The end has come with it, and nobody has read it yet: the connection is in the pool again.
      abort.abort();
      await body.next().catch(() => undefined);
    }
    expect(await pieces((await peer.open('/', { mayRepeat: true })).body)).toEqual(['one']);
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

describe('a name', () => {
  const addresses: { [name: string]: readonly string[] } = {
    'two.example': ['93.184.216.34', '127.0.0.1'],
    'mapped.example': ['::ffff:127.0.0.1'],
    'metadata.example': ['169.254.169.254'],
    'inside.example': ['127.0.0.1'],
  };
  const lookup: NameLookup = async (name) => (addresses[name] ?? []).map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const origins = Object.keys(addresses).map((name) => `http://${name}:7999`);
  const send = async (name: string, privateNetworks: readonly string[] = []) => {
    const client = new EgressClient(new EgressPolicy(origins, { privateNetworks }), lookup);
    try {
      return await client.send({ method: 'GET', headers: {}, timeoutMs: 2_000, mayRepeat: true, url: `http://${name}:7999/`, sender: tool });
    } finally {
      client.close();
    }
  };

  it.each(['two.example', 'mapped.example', 'inside.example', 'metadata.example'])('that is listed is not reached at a private address: %s', async (name) => {
    expect(await send(name)).toMatchObject({ kind: 'notSent', code: 'denied' });
  });

  it('is reached in a network that the operator set aside, and metadata never', async () => {
    expect(await send('inside.example', ['127.0.0.0/8'])).toMatchObject({ kind: 'notSent', code: 'unreachable' });
    expect(await send('metadata.example', ['169.254.0.0/16'])).toMatchObject({ kind: 'notSent', code: 'denied' });
  });

  it('is asked of the servers that the operator chose', async () => {
    const asked: string[] = [];
    const server = createSocket('udp4', (message, { port, address }) => {
      asked.push(message.subarray(13, 19).toString());
      const answer = Buffer.from(message);
      // No such name.
      answer.writeUInt16BE(0x8183, 2);
      server.send(answer, port, address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    await expect(nameLookup([`127.0.0.1:${server.address().port}`])('inside.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(asked).toEqual(['inside', 'inside']);
    server.close();
  });
});

describe('a redirect that is followed', () => {
  const serve = async (answer: (request: IncomingMessage, response: ServerResponse, origin: string) => void) => {
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      answer(request, response, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.dispose]: () => void (server.close(), server.closeAllConnections()) };
  };
  const follow = async (allow: readonly string[], url: string, more: { readonly method?: string; readonly redirectsMax?: number; readonly headers?: { readonly [name: string]: string } } = {}) => {
    const client = new EgressClient(new EgressPolicy(allow));
    try {
      return await client.send({ method: 'GET', headers: {}, timeoutMs: 2_000, mayRepeat: true, redirectsMax: 5, url, sender: { name: 'tool hop', origins: [], mayGoAnywherePublic: false }, ...more });
    } finally {
      client.close();
    }
  };

  it('reaches its end, and is judged anew at every hop', async () => {
    using sink = await serve((_request, response) => void response.end('inside'));
    using peer = await serve((request, response) => {
      if (request.url === '/end') return void response.end('there');
      response.writeHead(302, { location: request.url === '/away' ? sink.origin : request.url === '/once' ? '/end' : '/once' }).end();
    });
    expect(await follow([peer.origin], `${peer.origin}/twice`)).toMatchObject({ status: 200, body: Buffer.from('there') });
    expect(await follow([peer.origin], `${peer.origin}/away`)).toMatchObject({ kind: 'notSent', code: 'denied' });
    expect(sink.seen).toHaveLength(0);
  });

  it('ends after five', async () => {
    using peer = await serve((request, response) => void response.writeHead(307, { location: `/${Number(request.url?.slice(1)) + 1}` }).end());
    expect(await follow([peer.origin], `${peer.origin}/0`, { redirectsMax: 99 })).toMatchObject({ status: 307 });
    expect(peer.seen.map(({ url }) => url)).toEqual(['/0', '/1', '/2', '/3', '/4', '/5']);
  });

  it('takes no credential to another origin', async () => {
    using other = await serve((_request, response) => void response.end('x'));
    using peer = await serve((_request, response) => void response.writeHead(302, { location: other.origin }).end());
    await follow([peer.origin, other.origin], peer.origin, { headers: { authorization: 'Bearer x', 'x-api-key': 'x', accept: 'text/plain' } });
    expect(other.seen[0]!.headers).toMatchObject({ accept: 'text/plain' });
    expect(Object.keys(other.seen[0]!.headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/authorization|x-api-key/)]));
  });

  it('repeats a write only where it was told that nothing was done, within its origin', async () => {
    using other = await serve((_request, response) => void response.end('x'));
    using peer = await serve((request, response) => {
      if (request.url === '/end') return void response.end('there');
      const [, status = '', where = ''] = request.url?.split('/') ?? [];
      response.writeHead(Number(status), { location: where === 'other' ? other.origin : '/end' }).end();
    });
    expect(await follow([peer.origin], `${peer.origin}/307/here`, { method: 'POST' })).toMatchObject({ status: 200 });
    expect(await follow([peer.origin], `${peer.origin}/302/here`, { method: 'POST' })).toMatchObject({ status: 302 });
    expect(await follow([peer.origin, other.origin], `${peer.origin}/308/other`, { method: 'POST' })).toMatchObject({ status: 308 });
    expect(other.seen).toHaveLength(0);
  });
});
