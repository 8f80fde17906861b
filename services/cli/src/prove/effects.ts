// Effects that are done and whose answers get lost, over every transport of tools; an independent judge counts what was done and what was told.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import type { Profile } from '../processes/profile.js';
import { startCountingServer, stripKeys } from './counting-server.js';
import { judgedBy } from './judge.js';
import { loosenedBy, type Loosening } from './loosened.js';
import { outcomesOf, requestAll } from './many-requests.js';
import { seeded } from './seeded.js';
import { meshSubject, standaloneSubject } from './subject.js';
import { patiently } from './trial.js';

/** `none`, or the rule of the effect ledger that does not hold; `no-key`: idempotency keys get lost on the way over HTTP. */
export const EFFECT_PLANTS = ['none', 'no-key', 'blind-retry', 'lost-is-failed'] as const;
export type EffectPlant = (typeof EFFECT_PLANTS)[number];

export interface EffectsOptions {
  /** Effects that are done and whose answer gets lost. */
  readonly faults: number;
  /** Transports of tools; all of FACES by default. */
  readonly over: readonly string[];
  readonly profile: Profile;
  readonly seed: number;
  readonly plant: EffectPlant;
  readonly onProgress: (text: string) => void;
  readonly told: Promise<never>;
}

interface Data {
  readonly tool: string;
  readonly n: number;
  readonly fault: string;
}

interface Tool {
  readonly name: string;
  readonly face: string;
  readonly tool: string;
  readonly kind: 'idempotent' | 'asked' | 'blind';
}

const FILES = inRoot('tests', 'faults', 'effects');
const TOOLS: readonly Tool[] = [
  { name: 'http.idempotent', face: 'http', tool: 'idempotent', kind: 'idempotent' },
  { name: 'http.once', face: 'http', tool: 'once', kind: 'asked' },
  { name: 'http.blind', face: 'http', tool: 'blind', kind: 'blind' },
  { name: 'mcp.idempotent', face: 'mcp', tool: 'idempotent', kind: 'idempotent' },
  { name: 'mcp.once', face: 'mcp', tool: 'once', kind: 'asked' },
  { name: 'grpc.Effects.Idempotent', face: 'grpc', tool: 'idempotent', kind: 'idempotent' },
  { name: 'grpc.Effects.Once', face: 'grpc', tool: 'once', kind: 'asked' },
];
/** How the counting server can be reached. */
export const FACES = ['http', 'mcp', 'grpc'] as const;
const ACCEPT_MS_MAX = 30_000;
const IN_FLIGHT = 200;
/** Share of benign calls, and of those that are refused before anything is done. */
const BENIGN = 0.1;
const REFUSED = 0.05;

const LOOSENED: { readonly [plant in EffectPlant]?: Loosening } = {
  'blind-retry': {
    file: 'persist/effect.ledger.js',
    className: 'EffectLedger',
    code: `const { ask } = EffectLedger.prototype;
EffectLedger.prototype.ask = function (key, command) { return ask.call(this, key, command.type === 'Dispatch' ? { ...command, effect: 'idempotent-write' } : command); };`,
  },
  'lost-is-failed': {
    file: 'persist/effect.ledger.js',
    className: 'EffectLedger',
    code: `const { ask } = EffectLedger.prototype;
EffectLedger.prototype.ask = function (key, command) { return ask.call(this, key, command.type === 'LoseAnswer' ? { ...command, type: 'Fail', failure: { ...command.failure, code: 'tool-failed' } } : command); };`,
  },
};

export async function proveEffects({ faults, over, profile, seed, plant, onProgress, told }: EffectsOptions): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const home = inHome('prove', `effects-${profile}`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const receipts = join(home, 'receipts.jsonl');
  const tools = TOOLS.filter(({ face }) => over.includes(face));
  const stops: (() => Promise<void>)[] = [];
  try {
    const counting = await startCountingServer(receipts, ['--mcp', '--grpc']);
    stops.push(counting.stop);
    const wire = plant === 'no-key' ? await stripKeys(counting.url) : undefined;
    if (wire) stops.push(wire.stop);
    const env = { ...environment(home, wire?.url ?? counting.url, counting.grpc), ...loosenedBy(LOOSENED[plant], home) };
    const subject = await (profile === 'mesh' ? meshSubject : standaloneSubject)({ home, env, onProgress });
    stops.push(subject.stop);
    const client = new GatewayClient(subject.connection);
    const workflow = readFileSync(join(FILES, 'workflow.yaml'), 'utf8');
    await patiently(() => client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: workflow }));
    await Promise.race([
      acceptTools(
        client,
        tools.filter(({ face }) => face !== 'http'),
      ),
      told,
    ]);
    const startedAt = performance.now();
    const data = callsOf(tools, faults, seed);
    onProgress(`${data.length} calls over ${over.join(', ')}`);
    const accepted = await Promise.race([requestAll(client, data, { type: 'prove.effects.v1', prefix: `effects-${seed}`, inFlight: IN_FLIGHT }), told]);
    onProgress('waiting for every call to end');
    const ids = accepted.map(({ executionId }) => executionId);
    const outcomes = await Promise.race([outcomesOf(client, ids, 60_000 + faults * 20), told]);
    const asked = accepted.map(({ id, data: { tool, fault }, executionId }) => {
      const { status = 'unknown', reviews = [] } = outcomes.get(executionId) ?? {};
      return { id, tool, executionId, fault: fault === 'none' ? '' : fault, told: reviews.length > 0 ? 'person' : status };
    });
    const input = join(home, 'judge.json');
    writeFileSync(input, JSON.stringify({ tools, asked }));
    const { counts, clean } = await judgedBy('effects', ['--input', input, '--receipts', receipts]);
    return { report: { ...counts, seconds: Math.round((performance.now() - startedAt) / 100) / 10, seed, profile }, clean };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function environment(home: string, receiver: string, grpc: string): Readonly<Record<string, string>> {
  const tools = join(home, 'tools.yaml');
  writeFileSync(tools, readFileSync(join(FILES, 'tools.yaml'), 'utf8').replaceAll('COUNTING_SERVER', receiver).replaceAll('COUNTING_GRPC', grpc));
  return {
    WEFT_TOOLS_FILE: tools,
    WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
    WEFT_ROUTES_FILE: join(FILES, 'routes.yaml'),
    WEFT_EGRESS_ALLOW: `${receiver},http://${grpc}`,
    // What comes from an answer is untrusted, and not what is proved here.
    WEFT_TRUSTED_LABELS: '*',
    WEFT_BACKLOG_MAX: '100000',
    WEFT_REQUESTS_PER_MINUTE: '10000000',
    WEFT_LOG_LEVEL: 'warn',
  };
}

/** Plays the operator, who accepts what the sources offer. */
async function acceptTools(client: GatewayClient, wanted: readonly Tool[]): Promise<void> {
  if (wanted.length === 0) return;
  type Listed = { readonly tools: readonly { readonly name: string; readonly state: string; readonly digest: string }[]; readonly problems?: readonly unknown[] };
  const until = Date.now() + ACCEPT_MS_MAX;
  for (;;) {
    const { body } = await client.call<Listed>('/v1/tools?limit=200');
    for (const { name, digest } of body.tools.filter((tool) => tool.state === 'quarantined')) {
      const decision = JSON.stringify({ digest, outcome: 'accept' });
      await client.call(`/v1/tools/${encodeURIComponent(name)}/decide`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: decision });
    }
    const isOpen = (name: string): boolean => body.tools.some((tool) => tool.name === name && tool.state !== 'quarantined');
    if (wanted.every(({ name }) => isOpen(name))) return;
    if (Date.now() > until)
      throw new CommandFailed(`Expected ${wanted.map(({ name }) => name).join(', ')} to be offered but there are ${body.tools.map(({ name, state }) => `${name} (${state})`).join(', ')}.`);
    await sleep(200);
  }
}

/** Lost answers in equal shares of the tools, with benign calls and refusals among them. */
function callsOf(tools: readonly Tool[], faults: number, seed: number): readonly Data[] {
  const random = seeded(seed);
  const calls = Array.from({ length: faults }, (_, n): Data => {
    const kind = random.between(0, 1);
    return { tool: tools[n % tools.length]!.name, n, fault: kind < 0.85 ? 'lost' : kind < 0.95 ? 'error' : 'stall' };
  });
  const more = (share: number, fault: string): readonly Data[] =>
    Array.from({ length: Math.max(tools.length, Math.round(faults * share)) }, (_, n) => ({ tool: tools[n % tools.length]!.name, n, fault }));
  return [...calls, ...more(REFUSED, 'refused'), ...more(BENIGN, 'none')]
    .map((call) => ({ call, at: random.between(0, 1) }))
    .sort((left, right) => left.at - right.at)
    .map(({ call }) => call);
}
