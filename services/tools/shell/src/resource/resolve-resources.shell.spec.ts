import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contextOf, type ResolvedResource } from '@weft/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { ResourceStore } from './resource.store.js';

let bench: ToolsBench;
let server: Server;
let origin: string;
const answers: Record<string, (path: string) => readonly [status: number, headers: Record<string, string>, body: string | Buffer]> = {
  '/schema.json': () => [200, { 'content-type': 'Application/JSON; charset=utf-8' }, '{"type":"object"}'],
  '/moved': () => [302, { location: '/schema.json' }, ''],
  '/broken': () => [500, {}, 'no'],
  '/latin': () => [200, {}, Buffer.from([0xe9])],
  '/long': () => [200, {}, 'x'.repeat(300 * 1024)],
  '/endless': () => [200, {}, 'x'.repeat(5 * 1024 * 1024)],
};

beforeAll(async () => {
  bench = await ToolsBench.open();
  server = createServer(({ url = '', headers: { authorization } }, response) => {
    if (url === '/guarded') return void response.writeHead(authorization === `Basic ${btoa('u:p')}` ? 200 : 401).end('{}');
    const [status, headers, body] = answers[url]?.(url) ?? [404, {}, ''];
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => bench.reset());
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await bench.close();
});

const context = contextOf({ tenant: 'acme', actor: 'key:k' });
const start = (allow = [origin]): Promise<ToolsParts> => bench.start([], { settings: { WEFT_EGRESS_ALLOW: allow } });

async function resolved(path: string, wantsText: boolean, parts?: ToolsParts): Promise<ResolvedResource> {
  const { shown } = parts ?? (await start());
  const { resources } = await shown.resolveResources({ resources: [{ uri: `${origin}${path}`, wantsText, authenticationJson: '' }] }, context);
  return resources[0]!;
}

describe('resources that documents refer to', () => {
  it('are fetched, named by their digest and kept for the tenant', async () => {
    const found = await resolved('/schema.json', true);
    expect(found).toMatchObject({ mediaType: 'application/json', bytes: 17, text: '{"type":"object"}', problem: '', digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const store = new ResourceStore(bench.pool);
    expect((await store.find('acme', found.digest))?.content.toString()).toBe('{"type":"object"}');
    expect(await store.find('another', found.digest)).toBeUndefined();
  });

  it('are followed to where they moved, and hand back no text that nobody wants', async () => {
    expect(await resolved('/moved', false)).toMatchObject({ text: '', bytes: 17, problem: '' });
  });

  it.each([
    ['/broken', 'is answered with HTTP 500'],
    ['/latin', 'Expected text in UTF-8'],
    ['/long', 'Expected at most 262144 bytes'],
    ['/endless', 'at most 4194304 bytes'],
  ])('say what is wrong with %s', async (path, problem) => {
    expect(await resolved(path, true)).toMatchObject({ digest: '', text: '', problem: expect.stringContaining(problem) });
  });

  it.each([
    ['basic', { basic: { username: 'u', password: 'p' } }, ''],
    ['another password', { basic: { username: 'u', password: 'q' } }, 'is answered with HTTP 401'],
    ['a secret', { basic: { use: 'theirs' } }, 'but its authentication names a secret or an expression, which only an execution may use.'],
    ['an expression', { bearer: { token: '${ .token }' } }, 'but its authentication names a secret or an expression'],
    ['digest', { digest: { username: 'u', password: 'p' } }, 'but its authentication is `digest`: use basic, bearer, oauth2 or oidc.'],
  ])('say who asks by %s', async (_how, policy, problem) => {
    const { shown } = await start();
    const { resources } = await shown.resolveResources({ resources: [{ uri: `${origin}/guarded`, wantsText: true, authenticationJson: JSON.stringify(policy) }] }, context);
    expect(resources[0]!.problem).toContain(problem);
    expect(resources[0]!.text).toBe(problem === '' ? '{}' : '');
  });

  it('come only from where the operator lets calls go', async () => {
    expect((await resolved('/schema.json', true, await start([]))).problem).toContain('WEFT_EGRESS_ALLOW');
  });

  it('are told each by itself, in the order asked for', async () => {
    const { shown } = await start();
    const { resources } = await shown.resolveResources(
      { resources: ['/nothing', '/schema.json', 'x'].map((path) => ({ uri: `${origin}${path}`, wantsText: false, authenticationJson: '' })) },
      context,
    );
    expect(resources.map(({ problem }) => problem === '')).toEqual([false, true, false]);
  });
});
