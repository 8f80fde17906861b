// Streams that break in every way, at every moment that makes a difference, under every policy: a client reads along, and an independent judge compares with what the models wrote down.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import { startScriptedModel } from '../processes/stand-in.js';
import { modelScript, POLICIES, routeTable, streamCases, type StreamCase } from './streams-cases.js';
import { loosenedStreams, type StreamPlant } from './streams-plants.js';
import { standaloneSubject } from './subject.js';
import { readChat } from './streams-client.js';

export interface StreamsOptions {
  /** Times that each break is played under each policy. */
  readonly rounds: number;
  /** Chats whose model does not break. */
  readonly benign: number;
  readonly seed: number;
  /** A rule that does not hold, which the proof must notice. */
  readonly plant: StreamPlant;
  readonly onProgress: (text: string) => void;
  /** Rejects when the proof is to stop. */
  readonly told: Promise<never>;
}

const FILES = inRoot('tests', 'faults', 'streams');
const IN_FLIGHT = 16;

export async function proveStreams({ rounds, benign, seed, plant, onProgress, told }: StreamsOptions): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const home = inHome('prove', 'streams');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const file = (name: string): string => join(home, name);
  const cases = streamCases(rounds, benign, seed);
  writeFileSync(file('script.json'), JSON.stringify(modelScript(cases)));
  writeFileSync(file('models.jsonl'), '');
  writeFileSync(file('cases.jsonl'), cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const stops: (() => Promise<void>)[] = [];
  try {
    const model = await startScriptedModel(file('script.json'), file('model.log'), file('models.jsonl'));
    stops.push(model.stop);
    writeFileSync(file('routes.json'), JSON.stringify(routeTable(cases, model.url)));
    const env = {
      WEFT_ROUTES_FILE: file('routes.json'),
      WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
      WEFT_EGRESS_ALLOW: model.url,
      WEFT_MODEL_STALL_MS: '500',
      WEFT_REQUESTS_PER_MINUTE: '1000000',
      ...loosenedStreams(plant, home),
    };
    const subject = await standaloneSubject({ home, env, onProgress });
    stops.push(subject.stop);
    const client = new GatewayClient(subject.connection);
    const workflow = readFileSync(join(FILES, 'workflow.yaml'), 'utf8');
    for (const policy of POLICIES) await client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: workflow.replaceAll('POLICY', policy) });
    const startedAt = performance.now();
    const seen = await Promise.race([chatAll(subject.connection, client, cases, onProgress), told]);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    writeFileSync(file('seen.jsonl'), seen.map((one) => `${JSON.stringify(one)}\n`).join(''));
    // What the models have written down is whole when they have ended.
    await stops.shift()!();
    const { counts, clean } = await judged(file);
    return { report: { ...counts, simulated: true, plant, seconds }, clean };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function chatAll(connection: Connection, client: GatewayClient, cases: readonly StreamCase[], onProgress: (text: string) => void): Promise<readonly object[]> {
  const seen: object[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length) {
      const one = cases[next++]!;
      const chat = await readChat(connection, one);
      seen.push({ ...chat, calls: await callsOf(client, chat.execution) });
      if (seen.length % 50 === 0) onProgress(`${seen.length} of ${cases.length} chats`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return seen;
}

/** Calls of models that the evidence of an execution holds. */
async function callsOf(client: GatewayClient, execution: string): Promise<number> {
  if (execution === '') return 0;
  const { body } = await client.call<{ entries: readonly { detail?: { evidence?: { attempts?: readonly object[] } } }[] }>(`/v1/executions/${execution}/timeline`);
  return body.entries.reduce((sum, { detail }) => sum + (detail?.evidence?.attempts?.length ?? 0), 0);
}

function judged(file: (name: string) => string): Promise<{ readonly counts: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const args = ['cases', 'seen', 'models'].flatMap((name) => [`--${name}`, file(`${name}.jsonl`)]);
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [inRoot('tests', 'faults', 'dist', 'streams-checker.main.js'), ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? Number((error as { code?: unknown }).code) : 0;
      if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
      else resolve({ counts: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
    });
  });
}
