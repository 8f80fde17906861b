import type { Command } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseGrants } from '../registry/files.js';
import { changeSwitch } from '../permission/switch.store.js';
import { jobOf, ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { startGuardedServer, USER, type GuardedServer } from './guarded-server.testing.js';

const SECRETS: Readonly<Record<string, string>> = { LOGIN: JSON.stringify(USER), KEY: 'hush-hush-hush', CLIENT: 'the-secret-of-the-client', FORBIDDEN: 'not for this workflow' };
const GRANTS = 'grants: [{tenant: "*", workflow: acme/*, kinds: [http, openapi, grpc], secrets: [LOGIN, KEY, CLIENT, MISSING]}]';

let bench: ToolsBench;
let server: GuardedServer;
let tools: ToolsParts;

beforeAll(async () => {
  bench = await ToolsBench.open();
});
afterAll(() => bench.close());
beforeEach(async () => {
  server = await startGuardedServer();
  tools = await bench.start([], { grants: parseGrants(GRANTS, 'spec'), secrets: (name) => SECRETS[name], settings: { WEFT_EGRESS_ALLOW: [server.url] } });
});
afterEach(async () => {
  await bench.reset();
  await server.close();
});

const secret = (pointer: string, expression: string, ...secrets: string[]): object => ({ [pointer]: { expression, secrets, now: 0 } });
const call = async (args: object, deferred?: object): Promise<Command> => {
  const input = { method: 'get', ...args, ...(deferred ? { 'weft:deferred': deferred } : {}) } as Json;
  return (await tools.worker.carry(jobOf('http', input))) ?? expect.unreachable('a job came to nothing');
};
const at = (path: string, authentication?: object, more: object = {}) => ({ endpoint: { uri: `${server.url}${path}`, ...(authentication ? { authentication } : {}) }, ...more });
const outputOf = ({ completeJob, failJob }: Command): Json => (completeJob ? (JSON.parse(completeJob.outputJson) as Json) : ((failJob?.failure ?? null) as Json));
const oauth2 = (more: object = {}) => ({
  authority: server.url,
  grant: 'client_credentials',
  client: { id: 'weft', secret: 'the-secret-of-the-client' },
  scopes: ['read', 'write'],
  audiences: ['api'],
  ...more,
});
const formOf = (path: string): URLSearchParams => new URLSearchParams(server.received.find((one) => one.path === path)?.body);

describe('a call with a policy', () => {
  it('sends user and password by basic', async () => {
    expect(outputOf(await call(at('/basic', { basic: USER })))).toEqual({ in: true });
  });

  it('fails with the status when the receiver refuses the credentials', async () => {
    const { failJob } = await call(at('/basic', { basic: { ...USER, password: 'wrong one' } }));
    expect(failJob?.failure).toMatchObject({ code: 'http-status', message: expect.stringContaining('401') as string });
    expect(server.received).toHaveLength(1);
  });

  it('sends a token by bearer', async () => {
    server.tokens.add('the token');
    expect(outputOf(await call(at('/bearer', { bearer: { token: 'the token' } })))).toEqual({ in: true });
  });

  it('answers the challenge of digest, a write too: an answer 401 says that nothing was done', async () => {
    expect(outputOf(await call(at('/digest?x=1', { digest: USER }, { method: 'post', body: { a: 1 } })))).toEqual({ in: true });
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([expect.any(String), server.received[0]!.headers['idempotency-key']]);
  });

  it('cannot be made with a policy that makes no sense', async () => {
    expect((await call(at('/basic', { oauth2: oauth2({ client: { id: 'weft' } }) }))).failJob?.failure).toMatchObject({
      code: 'not-configured',
      message: expect.stringContaining('client.secret') as string,
    });
    expect(server.received).toEqual([]);
  });
});

describe('a call with a token of an authorization server', () => {
  it('asks for it once, and keeps it', async () => {
    for (let i = 0; i < 3; i++) expect(outputOf(await call(at('/bearer', { oauth2: oauth2() })))).toEqual({ in: true });
    expect(server.received.map(({ path }) => path)).toEqual(['/oauth2/token', '/bearer', '/bearer', '/bearer']);
    expect(Object.fromEntries(formOf('/oauth2/token'))).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'api',
      client_id: 'weft',
      client_secret: 'the-secret-of-the-client',
    });
  });

  it('asks for one token when many calls begin at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => call(at('/bearer', { oauth2: oauth2() }))));
    expect(server.received.filter(({ path }) => path === '/oauth2/token')).toHaveLength(1);
  });

  it('asks anew when it expires', async () => {
    server.lifetimeSeconds = 30;
    await call(at('/bearer', { oauth2: oauth2() }));
    await call(at('/bearer', { oauth2: oauth2() }));
    expect(server.received.filter(({ path }) => path === '/oauth2/token')).toHaveLength(2);
  });

  it('asks anew, once, when the receiver refuses what was kept', async () => {
    await call(at('/bearer', { oauth2: oauth2() }));
    server.tokens.clear();
    expect(outputOf(await call(at('/bearer', { oauth2: oauth2() })))).toEqual({ in: true });
    expect(server.received.map(({ path }) => path)).toEqual(['/oauth2/token', '/bearer', '/bearer', '/oauth2/token', '/bearer']);
  });

  it('asks for one token when many calls are refused with what was kept', async () => {
    await call(at('/bearer', { oauth2: oauth2() }));
    server.tokens.clear();
    const all = await Promise.all(Array.from({ length: 8 }, () => call(at('/bearer', { oauth2: oauth2() }))));
    expect(all.map(outputOf)).toEqual(Array.from({ length: 8 }, () => ({ in: true })));
    expect(server.received.filter(({ path }) => path === '/oauth2/token')).toHaveLength(2);
  });

  it('that a kill switch stops while it waits for the token is not sent', async () => {
    server.tokenDelayMs = 1_500;
    const stopped = call(at('/bearer', { oauth2: oauth2() }, { method: 'post' }));
    await eventually(() => server.received.length === 1);
    const change = { kind: 'tool', tenant: 'default', name: 'call:http', reason: 'Odd.', by: 'user:ann' } as const;
    await changeSwitch(bench.pool, { ...change, isOff: true });
    await tools.switches.refresh();
    const command = await stopped;
    await changeSwitch(bench.pool, { ...change, isOff: false });
    expect(command.failJob).toMatchObject({ outcome: 'failed', failure: { code: 'denied' } });
    expect(server.received.map(({ path }) => path)).toEqual(['/oauth2/token']);
  });

  it('finds the token endpoint of oidc by discovery', async () => {
    expect(outputOf(await call(at('/bearer', { oidc: oauth2() })))).toEqual({ in: true });
    expect(server.received.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration', '/tokens', '/bearer']);
  });

  it.each([
    ['client_secret_basic', {}, { headers: { authorization: `Basic ${Buffer.from('weft:the-secret-of-the-client').toString('base64')}` } }],
    ['client_secret_jwt', {}, { body: expect.stringMatching(/client_assertion_type=urn.*jwt-bearer&client_assertion=[\w-]+\.[\w-]+\.[\w-]+/) as string }],
    ['private_key_jwt', { assertion: 'signed.by.author' }, { body: expect.stringContaining('client_assertion=signed.by.author') as string }],
    ['none', {}, { body: expect.not.stringContaining('secret') as string }],
  ])('proves the client by %s', async (authentication, more, request) => {
    const client = { id: 'weft', secret: 'the-secret-of-the-client', authentication, ...more };
    expect(outputOf(await call(at('/bearer', { oauth2: oauth2({ client }) })))).toEqual({ in: true });
    expect(server.received[0]).toMatchObject(request);
  });

  it('asks by password, by refresh token and by exchange, as a form or in JSON', async () => {
    const encoded = { request: { encoding: 'application/json' } };
    await call(at('/bearer', { oauth2: oauth2({ grant: 'password', ...USER, ...encoded }) }));
    expect(JSON.parse(server.received[0]!.body)).toMatchObject({ grant_type: 'password', ...USER });
    await call(at('/bearer', { oauth2: oauth2({ grant: 'refresh_token', subject: { token: 'refresh me', type: 'x' } }) }));
    expect(server.received[2]!.body).toContain('grant_type=refresh_token&refresh_token=refresh+me');
    const exchange = { grant: 'urn:ietf:params:oauth:grant-type:token-exchange', subject: { token: 's', type: 'urn:a' }, actor: { token: 'a', type: 'urn:b' } };
    await call(at('/bearer', { oauth2: oauth2(exchange) }));
    expect(Object.fromEntries(new URLSearchParams(server.received[4]!.body))).toMatchObject({ subject_token: 's', subject_token_type: 'urn:a', actor_token: 'a', actor_token_type: 'urn:b' });
  });

  it('fails as unauthenticated, with nothing sent to the receiver, when there is none', async () => {
    const { failJob } = await call(at('/bearer', { oauth2: oauth2({ authority: `${server.url}/refusing` }) }, { method: 'post' }));
    expect(failJob).toMatchObject({ outcome: 'failed', failure: { code: 'unauthenticated', message: expect.stringContaining('invalid_client') as string } });
    expect(server.received.map(({ path }) => path)).toEqual(['/refusing/oauth2/token']);
  });

  it('fails when its issuer is none of those that are listed', async () => {
    const { failJob } = await call(at('/bearer', { oauth2: oauth2({ issuers: ['https://id.test'] }) }));
    expect(failJob?.failure).toMatchObject({ code: 'unauthenticated', message: expect.stringContaining('issuer') as string });
  });
});

describe('the secrets of a call', () => {
  it('are filled in where the expressions stood, and the fields of a policy come from one', async () => {
    expect(outputOf(await call(at('/basic', { basic: null }), secret('/endpoint/authentication/basic', '$secrets.LOGIN', 'LOGIN')))).toEqual({ in: true });
    await call(at('/echo', undefined, { headers: { 'x-key': null } }), secret('/headers/x-key', '"Key \\($secrets.KEY)"', 'KEY'));
    expect(server.received.at(-1)?.headers['x-key']).toBe('Key hush-hush-hush');
  });

  it('are in nothing that is told, not even when the receiver sends them back', async () => {
    const deferred = { ...secret('/headers/x-key', '$secrets.KEY', 'KEY'), ...secret('/query/key', '$secrets.KEY', 'KEY'), ...secret('/body', '{ inside: $secrets.KEY }', 'KEY') };
    const command = await call(at('/echo', undefined, { method: 'post', output: 'response', headers: { 'x-key': null }, query: { key: null }, body: null }), deferred);
    expect(server.received[0]).toMatchObject({ path: '/echo?key=hush-hush-hush', body: '{"inside":"hush-hush-hush"}' });
    expect(outputOf(command)).toMatchObject({ content: { headers: { 'x-key': '[secret KEY]' } } });
    const { rows } = await bench.pool.query('select * from tools.effects');
    expect(JSON.stringify(rows)).toContain('$secrets.KEY');
    expect(JSON.stringify([command, rows])).not.toContain('hush-hush');
  });

  it('that came as credentials are not told either', async () => {
    const command = await call(at('/echo', { oauth2: oauth2({ client: null }) }), secret('/endpoint/authentication/oauth2/client', '{ id: "weft", secret: $secrets.CLIENT }', 'CLIENT'));
    expect(outputOf(command)).toMatchObject({ headers: { authorization: 'Bearer [authorization]' } });
    expect(JSON.stringify(command)).not.toContain('the-secret-of-the-client');
  });

  it('are followed by the credentials of the call, where an expression names them', async () => {
    server.tokens.add('the token');
    await call(at('/bearer', { bearer: { token: 'the token' } }, { headers: { 'x-again': null } }), secret('/headers/x-again', '"\\($authorization.scheme) \\($authorization.parameter)"'));
    expect(server.received[0]?.headers['x-again']).toBe('Bearer the token');
  });

  it('are denied without a grant of each by its name', async () => {
    const { failJob } = await call(at('/echo', undefined, { body: null }), secret('/body', '$secrets.FORBIDDEN', 'FORBIDDEN'));
    expect(failJob?.failure).toMatchObject({ code: 'denied', message: expect.stringContaining('secrets: [FORBIDDEN]') as string });
    expect(server.received).toEqual([]);
  });

  it('are denied before a document is fetched from an address that one is part of', async () => {
    const input = {
      proto: { endpoint: null },
      service: { name: 'S', host: '127.0.0.1' },
      method: 'M',
      'weft:deferred': secret('/proto/endpoint', `"${server.url}/echo?\\($secrets.FORBIDDEN | @uri)"`, 'FORBIDDEN'),
    };
    const command = await tools.worker.carry(jobOf('grpc', input as unknown as Json));
    expect(command?.failJob?.failure).toMatchObject({ code: 'denied', message: expect.stringContaining('secrets: [FORBIDDEN]') as string });
    expect(server.received).toEqual([]);
  });

  it('are not told by an answer that is taken raw', async () => {
    const command = await call(at('/echo', undefined, { output: 'raw', headers: { 'x-key': null } }), secret('/headers/x-key', '$secrets.KEY', 'KEY'));
    expect(server.received[0]?.headers['x-key']).toBe('hush-hush-hush');
    expect(Buffer.from(outputOf(command) as string, 'base64').toString()).not.toContain('hush-hush');
    expect(outputOf(command)).toContain('[secret KEY]');
  });

  it('are not told where they are no text that a header can hold', async () => {
    const command = await call(at('/echo', { bearer: { token: 'hush-hush-hush\n' } }));
    expect(command.failJob?.failure).toMatchObject({ code: 'not-configured', message: expect.stringContaining('line break') as string });
    expect(JSON.stringify(command)).not.toContain('hush');
    expect(server.received).toEqual([]);
  });

  it('fail the call by name when nobody configured them', async () => {
    const { failJob } = await call(at('/echo', undefined, { body: null }), secret('/body', '$secrets.MISSING', 'MISSING'));
    expect(failJob?.failure).toMatchObject({ code: 'secret-missing', message: expect.stringContaining('MISSING') as string });
  });
});
