import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { turnsInText, type ModelRule } from './model-script.js';
import { startModelServer, type ModelServer } from './model-server.js';
import { parseModelScript } from './read-model-script.js';

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

describe('scripts of conversations', () => {
  const CALL = { answer: { toolCalls: [{ name: 'lookup', arguments: { id: 7 }, id: 'forged' }] } };

  it('answers by turn from what the request itself carries, the last entry for ever', async () => {
    const { client } = await serverWith({ answer: { fromRequest: true } });
    const task = { role: 'user' as const, content: `Look it up. ${turnsInText([CALL, { answer: { content: 'it is [[7]]' } }])} Thanks.` };
    const first = await client.chat.completions.create({ model: 'small', messages: [task] });
    expect(first.choices[0]!.message.tool_calls).toMatchObject([{ id: 'forged', function: { name: 'lookup' } }]);
    const later = [first.choices[0]!.message, { role: 'tool' as const, tool_call_id: 'forged', content: '7' }];
    for (const messages of [
      [task, ...later],
      [task, ...later, ...later],
    ])
      expect((await client.chat.completions.create({ model: 'small', messages })).choices[0]!.message.content).toBe('it is [[7]]');
    await expect(ask(client, 'no turns here')).rejects.toMatchObject({ status: 400, code: 'no_turns' });
  });

  it('matches the turn, the last message and the tools that are offered', async () => {
    const { server, client } = await serverWith(
      { turn: 1, answer: { content: 'second' } },
      { lastContains: 'last', offers: 'lookup', answer: { content: 'offered' } },
      { answer: { content: 'else' } },
    );
    const said = async (messages: OpenAI.ChatCompletionMessageParam[], tools?: OpenAI.ChatCompletionTool[]) =>
      (await client.chat.completions.create({ model: 'small', messages, ...(tools && { tools }) })).choices[0]!.message.content;
    const last = { role: 'user' as const, content: 'the last' };
    expect(await said([last, { role: 'assistant', content: 'x' }, last])).toBe('second');
    expect(await said([last], [{ type: 'function', function: { name: 'lookup', parameters: {} } }])).toBe('offered');
    expect(await said([last])).toBe('else');
    expect(server.requests()[1]).toMatchObject({ tools: ['lookup'], turn: 0 });
  });

  it('asks a function before the script, and takes another script while it runs', async () => {
    const server = await startModelServer({ script: { rules: [] }, reply: ({ model }) => (model === 'known' ? { answer: { content: 'by function' } } : undefined) });
    open.push(server);
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 });
    expect((await ask(client, 'x', 'known')).choices[0]!.message.content).toBe('by function');
    const put = (script: object) => fetch(`${server.url}/__script`, { method: 'PUT', body: JSON.stringify(script) });
    expect((await put({ rules: [{ answer: { content: 'new' } }] })).status).toBe(200);
    expect((await ask(client, 'x')).choices[0]!.message.content).toBe('new');
    expect((await put({ rules: 1 })).status).toBe(400);
  });

  it('embeds texts so that those with the same words are near', async () => {
    const { client } = await serverWith({});
    const { data } = await client.embeddings.create({ model: 'vectors', input: ['late parcel', 'a parcel too late', 'blue whale'], encoding_format: 'float' });
    const dot = (a: number[], b: number[]): number => a.reduce((sum, part, at) => sum + part * b[at]!, 0);
    const [a, b, c] = data.map(({ embedding }) => embedding);
    expect(dot(a!, b!)).toBeGreaterThan(dot(a!, c!));
    expect(dot(a!, a!)).toBeCloseTo(1);
  });
});

describe('the faults of streams', () => {
  const content = 'x'.repeat(160);
  const read = async (client: OpenAI): Promise<{ text: string; error?: unknown }> => {
    let text = '';
    try {
      for await (const chunk of await client.chat.completions.create({ ...HELLO, messages: [{ role: 'user', content: 'x' }], stream: true })) text += chunk.choices[0]?.delta.content ?? '';
      return { text };
    } catch (error) {
      return { text, error };
    }
  };

  it.each([
    [0, 'cut', ''],
    [2, 'cut', 'x'.repeat(32)],
    [2, 'error', 'x'.repeat(32)],
    [2, 'bad-chunk', 'x'.repeat(32)],
  ] as const)('after %i pieces: %s', async (afterPieces, then, text) => {
    const { server, client } = await serverWith({ answer: { content }, fault: { afterPieces, then } });
    expect(await read(client)).toEqual({ text, error: expect.anything() });
    expect(server.requests()[0]).toMatchObject({ isWhole: false, inputTokens: 1 });
  });

  it('stalls, and never ends, until the client goes', async () => {
    for (const fault of [{ afterPieces: 1, then: 'stall' }, { endless: true }] as const) {
      const { server, client } = await serverWith({ answer: { content }, fault });
      const stream = await client.chat.completions.create({ ...HELLO, messages: [{ role: 'user', content: 'x' }], stream: true });
      let pieces = 0;
      for await (const chunk of stream) {
        if (chunk.choices[0]?.delta.content) pieces++;
        if (pieces === ('endless' in fault ? 15 : 1)) break;
      }
      expect(server.requests()[0]).toMatchObject({ isWhole: false });
    }
  });

  it('answers 200 with an error in the body', async () => {
    const { server } = await serverWith({ fault: { errorBody: 'no capacity' } });
    const response = await post(server, HELLO);
    expect([response.status, await response.json()]).toEqual([200, { error: expect.objectContaining({ message: 'no capacity' }) }]);
  });

  it('tells no usage, or a wrong one', async () => {
    const { client } = await serverWith({ times: 1, usage: 'absent' }, { usage: { inputTokens: -5, outputTokens: 1e9 } });
    expect((await ask(client, 'x')).usage).toBeUndefined();
    expect((await ask(client, 'x')).usage).toMatchObject({ prompt_tokens: -5, completion_tokens: 1e9 });
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
        { turn: 1, lastContains: 'x', offers: 't', pieceDelayMs: 1, usage: 'absent', answer: { fromRequest: true } },
        { usage: { inputTokens: 1, outputTokens: 2 }, fault: { afterPieces: 0, then: 'stall' } },
        { fault: { errorBody: 'x' } },
        { fault: { endless: true } },
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
