import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { parseModelScript, type ModelRule } from './model-script.js';
import { startModelServer, type ModelServer } from './model-server.js';

const open: ModelServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serverWith(...rules: ModelRule[]): Promise<{ server: ModelServer; client: OpenAI }> {
  const server = await startModelServer({ script: { rules } });
  open.push(server);
  return { server, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 }) };
}
const ask = (client: OpenAI, content: string, model = 'small') => client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
const post = (server: ModelServer, body: object) => fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
const HELLO = { model: 'small', messages: [{ role: 'user', content: 'hello' }] };

describe('the scripted model server, asked by a stock OpenAI client', () => {
  it('answers content with usage and says that it is simulated', async () => {
    const { server, client } = await serverWith({ answer: { content: 'twelve chars' } });
    const completion = await ask(client, 'eight ch');
    expect(completion.choices[0]).toMatchObject({ message: { role: 'assistant', content: 'twelve chars' }, finish_reason: 'stop' });
    expect(completion.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 });
    expect(completion.system_fingerprint).toBe('simulated-model');
    expect((await post(server, HELLO)).headers.get('x-weft-simulated')).toBe('true');
  });

  it('sends an object as the text of its JSON', async () => {
    const { client } = await serverWith({ answer: { json: { category: 'billing' } } });
    expect(JSON.parse((await ask(client, 'x')).choices[0]!.message.content!)).toEqual({ category: 'billing' });
  });

  it('asks for tool calls', async () => {
    const { client } = await serverWith({ answer: { toolCalls: [{ name: 'lookup', arguments: { id: 7 } }] } });
    const choice = (await ask(client, 'x')).choices[0]!;
    expect(choice.finish_reason).toBe('tool_calls');
    expect(choice.message.tool_calls).toMatchObject([{ type: 'function', function: { name: 'lookup', arguments: '{"id":7}' } }]);
  });

  it('takes the first rule that matches model and every text, and falls through when its times are used up', async () => {
    const { server, client } = await serverWith(
      { model: 'large', answer: { content: 'from large' } },
      { contains: ['refund', 'late'], times: 1, answer: { content: 'both texts' } },
      { contains: 'refund', answer: { content: 'one text' } },
    );
    const contents = [];
    for (const [text, model] of [
      ['refund', 'large'],
      ['late refund', 'small'],
      ['late refund', 'small'],
    ] as const)
      contents.push((await ask(client, text, model)).choices[0]!.message.content);
    expect(contents).toEqual(['from large', 'both texts', 'one text']);
    expect(server.requests().map((request) => request.rule)).toEqual([0, 1, 2]);
  });

  it('finds text in content parts too', async () => {
    const { client } = await serverWith({ contains: 'refund', answer: { content: 'found' } });
    const completion = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'a refund' }] }] });
    expect(completion.choices[0]!.message.content).toBe('found');
  });

  it('refuses a request that no rule matches, in a way that is not tried again', async () => {
    const { server, client } = await serverWith({ contains: 'refund' });
    await expect(ask(client, 'weather')).rejects.toMatchObject({ status: 400, code: 'no_rule' });
    expect(server.requests()[0]).toMatchObject({ outcome: 'unmatched', rule: null });
  });

  it('streams content in pieces that add up, with usage when wanted', async () => {
    const content = 'A reply that is longer than one piece, with ünïcödé 🧵 in it.';
    const { client } = await serverWith({ answer: { content } });
    const stream = await client.chat.completions.create({ ...HELLO, messages: [{ role: 'user', content: 'x' }], stream: true, stream_options: { include_usage: true } });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(content);
    expect(chunks.length).toBeGreaterThan(4);
    expect(chunks.at(-1)!.usage).toMatchObject({ prompt_tokens: 1 });
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop');
  });

  it('streams tool calls', async () => {
    const { client } = await serverWith({ answer: { toolCalls: [{ name: 'lookup', arguments: { id: 7 } }] } });
    const runner = client.chat.completions.stream({ model: 'small', messages: [{ role: 'user', content: 'x' }] });
    expect((await runner.finalChatCompletion()).choices[0]!.message.tool_calls).toMatchObject([{ function: { name: 'lookup', arguments: '{"id":7}' } }]);
  });

  it('lists the models that its rules name', async () => {
    const { client } = await serverWith({ model: 'small' }, { model: 'large' }, {});
    expect((await client.models.list()).data.map((model) => model.id)).toEqual(['small', 'large']);
  });

  it('counts requests by model', async () => {
    const { server, client } = await serverWith({});
    for (const model of ['small', 'small', 'large']) await ask(client, 'x', model);
    expect(await (await fetch(`${server.url}/__requests`)).json()).toMatchObject({ total: 3, byModel: { small: 2, large: 1 } });
  });
});

describe('the faults of the scripted model server', () => {
  it('answers 429 with Retry-After as often as the rule says', async () => {
    const { server, client } = await serverWith({ times: 1, fault: { status: 429, retryAfterSeconds: 7 } }, { answer: { content: 'now' } });
    const limited = await post(server, HELLO);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await ask(client, 'x')).choices[0]!.message.content).toBe('now');
  });

  it('answers server errors in the form of the protocol', async () => {
    const { client } = await serverWith({ fault: { status: 529, message: 'overloaded' } });
    await expect(ask(client, 'x')).rejects.toMatchObject({ status: 529, message: '529 overloaded' });
  });

  it('answers 200 with a body that does not parse', async () => {
    const { server } = await serverWith({ answer: { content: 'x' }, fault: { badJson: true } });
    const response = await post(server, HELLO);
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow(SyntaxError);
    expect(await (await post(server, { ...HELLO, stream: true })).text()).toMatch(/^data: \{[^\n]*[^}\n]\n\ndata: \[DONE\]\n\n$/);
  });

  it('cuts the connection after so many bytes, streamed or not', async () => {
    const { server } = await serverWith({ answer: { content: 'a long enough answer' }, fault: { closeAfterBytes: 40 } });
    for (const stream of [false, true]) {
      const response = await post(server, { ...HELLO, stream });
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow('terminated');
    }
  });

  it('hangs until the client gives up, and closes all the same', async () => {
    const { server } = await serverWith({ fault: { hang: true } });
    const hanging = fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(HELLO), signal: AbortSignal.timeout(50) });
    await expect(hanging).rejects.toThrow('timeout');
    const cutAtClose = expect(post(server, HELLO)).rejects.toThrow();
    await server.close();
    open.pop();
    await cutAtClose;
  });

  it('waits before it answers', async () => {
    const { server } = await serverWith({ delayMs: 60 });
    const started = performance.now();
    await (await post(server, HELLO)).text();
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('says what is wrong with a body that is no request', async () => {
    const { server } = await serverWith({});
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: '{"model"' });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('does not parse')]);
  });
});

describe('parseModelScript', () => {
  it('takes every kind of rule', () => {
    const script = {
      rules: [
        { model: 'a', contains: ['x', 'y'], times: 2, delayMs: 5, answer: { content: 'c' } },
        { contains: 'x', answer: { json: [1] } },
        { answer: { toolCalls: [{ name: 't', arguments: {} }], content: 'c' } },
        { fault: { status: 429, retryAfterSeconds: 1 } },
        { fault: { badJson: true } },
        { fault: { hang: true } },
        { fault: { closeAfterBytes: 0 } },
      ],
    };
    expect(parseModelScript(script)).toEqual(script);
  });

  it('reports all faults together, each with its place', () => {
    const rules = [{ models: 'a' }, { times: -1, answer: { content: 'a', json: 1 } }, { fault: { status: 200, hang: true } }, 'x'];
    expect(() => parseModelScript({ rules })).toThrow(
      /\/rules\/0\/models: expected one of[\s\S]*\/rules\/1\/times: [\s\S]*\/rules\/1\/answer: [\s\S]*\/rules\/2\/fault\/status: [\s\S]*\/rules\/2\/fault: .*status and hang[\s\S]*\/rules\/3: /,
    );
    expect(() => parseModelScript([])).toThrow('there is no list at /rules');
  });
});

describe('model-server.main', () => {
  const MAIN = fileURLToPath(new URL('../dist/model-server.main.js', import.meta.url));

  it('prints its address as one line of JSON, serves its script, and ends at SIGTERM', async () => {
    expect(existsSync(MAIN), `${MAIN} is built (tsc -b libs/testkit)`).toBe(true);
    const folder = mkdtempSync(join(tmpdir(), 'weft-model-'));
    writeFileSync(join(folder, 'script.json'), JSON.stringify({ rules: [{ answer: { content: 'from a file' } }] }));
    const child = spawn(process.execPath, [MAIN, '--script', join(folder, 'script.json')], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const line = await new Promise<string>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString())));
      const { url } = JSON.parse(line) as { url: string };
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
      expect((await ask(client, 'x')).choices[0]!.message.content).toBe('from a file');
      const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
});
