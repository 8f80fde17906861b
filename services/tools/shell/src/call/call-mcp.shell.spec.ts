import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import type { Json } from '@weft/kernel';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npmServer } from '../sources.testing.js';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

const NODE = process.execPath;
let bench: ToolsBench;
let parts: ToolsParts;
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
  url = `http://127.0.0.1:${port}/mcp`;
  server = spawn(NODE, [npmServer('server-everything'), 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_EGRESS_ALLOW: [new URL(url).origin], WEFT_MCP_STDIO: [NODE] });
  await eventually(async () => (await fetch(url, { method: 'POST', body: '{}' }).catch(() => undefined)) !== undefined, { timeoutMs: 20_000 });
});
afterAll(async () => {
  server.kill('SIGKILL');
  await bench.close();
});

const overHttp = (): Json => ({ http: { endpoint: url } });
const overStdio = (): Json => ({ stdio: { command: NODE, arguments: [npmServer('server-everything')] } });
const call = (method: string, parameters: Json, more: Record<string, Json> = {}) => cameTo(parts, callJob('mcp', { method, parameters, transport: overHttp(), ...more }));

describe('call: mcp', () => {
  it.each([
    ['tools/list', {}, { tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]) }],
    ['tools/call', { name: 'get-sum', arguments: { a: 2, b: 3 } }, { content: [{ type: 'text', text: expect.stringContaining('5') }] }],
    ['prompts/list', {}, { prompts: expect.arrayContaining([expect.objectContaining({ name: 'simple-prompt' })]) }],
    ['prompts/get', { name: 'simple-prompt' }, { messages: [expect.objectContaining({ role: 'user' })] }],
    ['resources/list', {}, { resources: expect.arrayContaining([expect.objectContaining({ uri: expect.any(String) })]) }],
    ['resources/templates/list', {}, { resourceTemplates: expect.arrayContaining([expect.objectContaining({ uriTemplate: expect.any(String) })]) }],
  ])('%s gives the result of the server as it came', async (method, parameters, result) => {
    expect(await call(method, parameters)).toMatchObject({ output: result, taint: [`mcp:${new URL(url).host}`] });
  });

  it('resources/read reads what was listed', async () => {
    const listed = (await call('resources/list', {})) as unknown as { readonly output: { readonly resources: readonly { readonly uri: string }[] } };
    const uri = listed.output.resources[0]!.uri;
    expect(await call('resources/read', { uri })).toMatchObject({ output: { contents: [{ uri }] } });
  });

  it('speaks over the standard streams of a process as well', async () => {
    expect(await call('tools/call', { name: 'echo', arguments: { message: 'hi' } }, { transport: overStdio() })).toMatchObject({ output: { content: [{ text: expect.stringContaining('hi') }] } });
  });

  it('speaks the version that the document names, or none', async () => {
    expect(await call('tools/list', {}, { protocolVersion: '2025-03-26' })).toHaveProperty('output');
    expect(await call('tools/list', {}, { protocolVersion: '1999-01-01' })).toMatchObject({ code: 'unreachable' });
  });

  it('a tool that reports an error fails the task, and asks no person', async () => {
    expect(await call('tools/call', { name: 'no-such-tool' })).toMatchObject({ code: 'tool-failed', outcome: 'failed', needsPerson: false });
    expect(await call('prompts/get', { name: 'no-such-prompt' })).toMatchObject({ code: 'tool-failed' });
  });

  it('ends with its timeout', async () => {
    const slow = { name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 3 } };
    expect(await call('tools/call', slow, { timeout: { milliseconds: 700 } })).toMatchObject({ code: 'effect-unknown', outcome: 'unknown' });
  });

  it('starts no process that the operator has not listed', async () => {
    expect(await call('tools/list', {}, { transport: { stdio: { command: 'npx', arguments: ['anything'] } } })).toMatchObject({
      code: 'not-configured',
      message: expect.stringContaining('WEFT_MCP_STDIO'),
    });
  });

  it('goes only where egress lets it', async () => {
    expect(await call('tools/list', {}, { transport: { http: { endpoint: 'http://127.0.0.1:9/mcp' } } })).toMatchObject({ code: 'unreachable', message: expect.stringContaining('WEFT_EGRESS_ALLOW') });
  });

  it.each([
    [{ method: 'tools/delete' }, 'method is "tools/delete"'],
    [{ method: 'tools/list', transport: {} }, 'transport.http is missing'],
    [{ method: 'tools/list', transport: { http: { endpoint: 'http://a.test', headers: { 'Transfer-Encoding': 'chunked' } } } }, 'is set by Weft itself'],
    [{ method: 'tools/list', transport: { http: { endpoint: 'nowhere' } } }, 'transport.http.endpoint is "nowhere"'],
  ])('%j is refused with what is wrong', async (args, words) => {
    expect(await cameTo(parts, callJob('mcp', args))).toMatchObject({ code: 'input-invalid', message: expect.stringContaining(words) });
  });
});
