// Agents under kill -9: at every turn of the first one the process dies; afterwards an independent judge counts the effects of all.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import type { Profile } from '../processes/profile.js';
import { startScriptedModel } from '../processes/stand-in.js';
import { askingAgent, parallelAgent, steadyAgent, stoppedAgents, type ScriptedAgent } from './agent-scripts.js';
import { otherKeys, startCountingServer, stripKeys } from './counting-server.js';
import { seeded } from './seeded.js';
import { meshSubject, standaloneSubject, type Subject } from './subject.js';
import { patiently } from './trial.js';

/** `no-key`, `other-keys`: idempotency keys get lost, or become others, on the way to the receiver. `no-limits`: agents are given none. */
export const AGENT_PLANTS = ['none', 'no-key', 'other-keys', 'no-limits'] as const;
export type AgentPlant = (typeof AGENT_PLANTS)[number];

export interface AgentsOptions {
  /** Turns of the agent that is killed at each of them. */
  readonly turns: number;
  /** Agents beside it, of each kind. */
  readonly beside: number;
  readonly benign: number;
  readonly profile: Profile;
  readonly seed: number;
  readonly plant: AgentPlant;
  readonly onProgress: (text: string) => void;
  readonly told: Promise<never>;
}

interface Asked extends ScriptedAgent {
  readonly id: string;
  readonly executionId: string;
}

const FILES = inRoot('tests', 'faults', 'agents');
const TOOLS = inRoot('tests', 'faults', 'kills', 'tools.yaml');
const SETTLE_MS_MAX = 120_000;
const TERMINAL = ['completed', 'faulted', 'cancelled'];

export async function proveAgents(options: AgentsOptions): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const { profile, seed, plant, onProgress, told } = options;
  const home = inHome('prove', `agents-${profile}`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const receipts = join(home, 'receipts.jsonl');
  const stops: (() => Promise<void>)[] = [];
  try {
    const model = await startScriptedModel(join(FILES, 'model-script.json'), join(home, 'model.log'));
    stops.push(model.stop);
    const counting = await startCountingServer(receipts, ['--idempotent', 'idempotent', '--delay-ms', '30']);
    stops.push(counting.stop);
    const wire = plant === 'no-key' ? await stripKeys(counting.url) : plant === 'other-keys' ? await otherKeys(counting.url) : undefined;
    if (wire) stops.push(wire.stop);
    const env = environment(home, wire?.url ?? counting.url, model.url);
    const subject = await (profile === 'mesh' ? meshSubject : standaloneSubject)({ home, env, onProgress });
    stops.push(subject.stop);
    const startedAt = performance.now();
    const { asked, kills } = await Promise.race([play(subject, receipts, options), told]);
    onProgress('waiting for every agent to end');
    const results = await Promise.race([settled(new GatewayClient(subject.connection), asked), told]);
    const { counts, clean } = await judged(home, receipts, asked, results);
    return { report: { ...counts, kills, seconds: Math.round((performance.now() - startedAt) / 100) / 10, seed, profile }, clean };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function environment(home: string, receiver: string, model: string): Readonly<Record<string, string>> {
  const filled = (from: string, name: string): string => {
    const file = join(home, name);
    writeFileSync(file, readFileSync(from, 'utf8').replaceAll('COUNTING_SERVER', receiver).replaceAll('MODEL_SERVER', model));
    return file;
  };
  return {
    WEFT_TOOLS_FILE: filled(TOOLS, 'tools.yaml'),
    WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
    WEFT_ROUTES_FILE: filled(join(FILES, 'routes.yaml'), 'routes.yaml'),
    WEFT_EGRESS_ALLOW: `${receiver},${model}`,
  };
}

async function play(
  subject: Subject,
  receipts: string,
  { turns, beside, benign, seed, plant, profile, onProgress }: AgentsOptions,
): Promise<{ readonly asked: readonly Asked[]; readonly kills: number }> {
  const client = new GatewayClient(subject.connection);
  const random = seeded(seed);
  const workflow = readFileSync(join(FILES, 'workflow.yaml'), 'utf8');
  await patiently(() => client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: workflow }));
  const asked: Asked[] = [];
  const ask = async (agent: ScriptedAgent): Promise<Asked> => {
    const id = `agent-${seed}-${asked.length}`;
    const body = JSON.stringify({ type: 'prove.agents.v1', source: '/prove', data: agent.input });
    const headers = { 'content-type': 'application/json', 'idempotency-key': id };
    const reply = await patiently(() => client.call<{ executionId: string }>('/v1/requests', { method: 'POST', headers, body, timeoutMs: 10_000 }));
    const one = { ...agent, id, executionId: reply.body.executionId };
    asked.push(one);
    return one;
  };
  const first = await ask(steadyAgent(turns));
  for (let n = 0; n < beside; n++) for (const agent of [steadyAgent(turns), parallelAgent(3), askingAgent()]) await ask(agent);
  let kills = 0;
  for (let turn = 1; turn <= turns; turn++) {
    const seen = await untilEffects(client, receipts, first.executionId, turn);
    if (!seen) break;
    // In the answer of the call, in the turn after it, or between the two.
    await sleep(random.between(0, 80));
    const target = profile === 'mesh' ? random.pick(['tools', 'orchestration']) : subject.targets[0]!;
    await subject.kill(target);
    onProgress(`kill ${++kills} of ${turns}: ${target}, at turn ${turn}`);
  }
  for (const agent of stoppedAgents(plant === 'no-limits')) await ask(agent);
  for (let n = 0; n < benign; n++) await ask(steadyAgent(2, 'benign'));
  return { asked, kills };
}

/** Waits until an agent's calls have had so many effects outside. @returns false when it has ended before. */
async function untilEffects(client: GatewayClient, receipts: string, execution: string, count: number): Promise<boolean> {
  const until = Date.now() + SETTLE_MS_MAX;
  for (let look = 0; Date.now() < until; look++) {
    const lines = readFileSync(receipts, 'utf8').split('\n').slice(0, -1);
    const iterations = new Set(lines.map((line) => JSON.parse(line) as { execution: string; iteration: string }).flatMap((receipt) => (receipt.execution === execution ? [receipt.iteration] : [])));
    if (iterations.size >= count) return true;
    if (look % 20 === 19) {
      const { body } = await patiently(() => client.call<{ status: string }>(`/v1/executions/${execution}`, { accept: [404] }));
      if (TERMINAL.includes(body.status)) return false;
    }
    await sleep(5);
  }
  return false;
}

async function settled(client: GatewayClient, asked: readonly Asked[]): Promise<readonly { readonly executionId: string; readonly status: string }[]> {
  const until = Date.now() + SETTLE_MS_MAX;
  const open = new Set(asked.map(({ executionId }) => executionId));
  const results: { executionId: string; status: string }[] = [];
  while (open.size > 0 && Date.now() < until) {
    for (const executionId of open) {
      const { body } = await patiently(() => client.call<{ status: string }>(`/v1/executions/${executionId}`, { accept: [404] }));
      if (!TERMINAL.includes(body.status)) continue;
      results.push({ executionId, status: body.status });
      open.delete(executionId);
    }
    if (open.size > 0) await sleep(100);
  }
  return results;
}

async function judged(home: string, receipts: string, asked: readonly Asked[], results: readonly object[]): Promise<{ readonly counts: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const input = join(home, 'judge.json');
  writeFileSync(input, JSON.stringify({ asked: asked.map(({ input: _input, ...one }) => one), results, idempotent: ['idempotent'] }));
  return new Promise((resolve, reject) => {
    const args = [inRoot('tests', 'faults', 'dist', 'agents-checker.main.js'), '--input', input, '--receipts', receipts];
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? Number((error as { code?: unknown }).code) : 0;
      if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
      else resolve({ counts: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
    });
  });
}
