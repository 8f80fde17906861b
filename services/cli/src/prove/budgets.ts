// More calls than a budget has room for, at once and while processes die; an independent judge counts what the outside received.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.js';
import { inHome, inRoot } from '../paths.js';
import { freePorts } from '../processes/free-port.js';
import type { Profile } from '../processes/profile.js';
import type { ServiceProcess } from '../processes/service-process.js';
import { startMesh } from '../processes/mesh.js';
import { startRedis } from '../servers/redis.js';
import { startCountingServer } from './counting-server.js';
import { judgedBy } from './judge.js';
import { loosenedBy, type Loosening } from './loosened.js';
import { outcomesOf, requestAll, type AcceptedRequest } from './many-requests.js';
import { standaloneSubject } from './subject.js';
import { patiently } from './trial.js';

/** `none`, or the rule of budgets that does not hold. */
export const BUDGET_PLANTS = ['none', 'no-reservation', 'check-then-act', 'always-freed', 'no-lease'] as const;
export type BudgetPlant = (typeof BUDGET_PLANTS)[number];

export interface BudgetsOptions {
  /** Calls of the capped tool. */
  readonly calls: number;
  readonly cap: number;
  /** Deaths of the one process between reserve and settle, 0 to `DEATHS_MAX`. */
  readonly deaths: number;
  readonly profile: Profile;
  readonly seed: number;
  readonly plant: BudgetPlant;
  readonly onProgress: (text: string) => void;
  readonly told: Promise<never>;
}

interface Data {
  readonly tool: string;
  readonly n: number;
}

/** What is asked: a Weft with processes of tools that can be killed. */
interface Asked {
  readonly client: GatewayClient;
  readonly victim: ServiceProcess;
  /** Ends the cache, if there is one. */
  killRedis(): Promise<boolean>;
  stop(): Promise<void>;
}

const FILES = inRoot('tests', 'faults', 'budgets');
const CRASH_CAP = 6;
const CRASH_CALLS = 10;
const LEASE_MS = 1_500;
const IN_FLIGHT = 400;
const SETTLE_MS_MAX = 120_000;
const CRASH_TOOLS = ['crashed', 'crashed-write'] as const;
const CRASH_PLACES = ['tools.reserve:after', 'tools.settle:before'] as const;
export const DEATHS_MAX = CRASH_TOOLS.length * CRASH_PLACES.length;

const LOOSENED: { readonly [plant in BudgetPlant]?: Loosening } = {
  'no-reservation': { file: 'budget/budget.ledger.js', className: 'BudgetLedger', code: 'BudgetLedger.prototype.mayDraw = () => false;' },
  'always-freed': {
    file: 'budget/budget.ledger.js',
    className: 'BudgetLedger',
    code: "const { settle } = BudgetLedger.prototype; BudgetLedger.prototype.settle = function (hold) { return settle.call(this, hold, { state: 'freed' }); };",
  },
  'check-then-act': {
    file: 'budget/reservation.store.js',
    className: 'ReservationStore',
    // Each takes what somebody once saw to be there. Not a matter of timing: a process takes in batches, so that a race alone would rarely be met.
    code: `const { reserve } = ReservationStore.prototype;
const once = new Map();
ReservationStore.prototype.reserve = async function (reservations, looked) {
  const uncapped = reservations.map((one) => ({ ...one, charges: one.charges.map((charge) => ({ ...charge, caps: {} })) }));
  const taken = await reserve.call(this, uncapped, looked.map((charge) => ({ ...charge, caps: {} })));
  for (const [key, tally] of taken.tallies) if (!once.has(key)) once.set(key, tally);
  return { ...taken, tallies: new Map([...taken.tallies.keys()].map((key) => [key, once.get(key)])) };
};`,
  },
  'no-lease': { file: 'budget/reservation.store.js', className: 'ReservationStore', code: 'ReservationStore.prototype.sweep = async () => ({ freed: 0, spent: 0 });' },
};

export async function proveBudgets(options: BudgetsOptions): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const { cap, profile, seed, plant, onProgress, told } = options;
  const home = inHome('prove', `budgets-${profile}`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const receipts = join(home, 'receipts.jsonl');
  const stops: (() => Promise<void>)[] = [];
  try {
    const counting = await startCountingServer(receipts, ['--idempotent', 'crashed-write', '--idempotent', 'free', '--delay-ms', '100']);
    stops.push(counting.stop);
    const env = { ...environment(home, counting.url, cap), ...loosenedBy(LOOSENED[plant], home) };
    const asked = await (profile === 'mesh' ? askedMesh : askedStandalone)(home, env, onProgress);
    stops.push(asked.stop);
    const { client } = asked;
    const workflow = readFileSync(join(FILES, 'workflow.yaml'), 'utf8');
    await patiently(() => client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: workflow }));
    const startedAt = performance.now();
    const race = await Promise.race([runRace(asked, options), told]);
    // Which of two processes takes a call is not for the proof to say: deaths at a place are wanted of the one process alone.
    const crash = profile === 'mesh' ? { accepted: [], kills: 0, wanted: 0 } : await Promise.race([runCrashes(asked, options), told]);
    const accepted = [...race.accepted, ...crash.accepted];
    onProgress('waiting for every call to end');
    const outcomes = await Promise.race([
      outcomesOf(
        client,
        accepted.map(({ executionId }) => executionId),
        SETTLE_MS_MAX,
      ),
      told,
    ]);
    // What died is over after the timeout of its job, its lease, and a look.
    await Promise.race([sleep(2_000 + LEASE_MS * 2), told]);
    const input = join(home, 'judge.json');
    const requests = accepted.map(({ id, data, executionId }) => {
      const { status, output } = outcomes.get(executionId) ?? { status: 'unknown' };
      const said = (output as { readonly told?: string } | null | undefined)?.told;
      return { id, tool: data.tool.slice('prove.'.length), executionId, told: status === 'completed' && said !== undefined ? said : status };
    });
    writeFileSync(input, JSON.stringify({ tools: await toolsJudged(client, cap), asked: requests }));
    const { counts, clean } = await judgedBy('budgets', ['--input', input, '--receipts', receipts]);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { report: { ...counts, cap, kills: crash.kills, redisKilled: race.redisKilled, seconds, seed, profile }, clean: clean && crash.kills === crash.wanted };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function environment(home: string, receiver: string, cap: number): Readonly<Record<string, string>> {
  const [tools, budgets] = [join(home, 'tools.yaml'), join(home, 'budgets.yaml')];
  writeFileSync(tools, readFileSync(join(FILES, 'tools.yaml'), 'utf8').replaceAll('COUNTING_SERVER', receiver));
  const limit = (name: string, calls: number): object => ({ tenant: 'default', scope: 'tool', name: `prove.${name}`, calls });
  writeFileSync(budgets, JSON.stringify({ budgets: [limit('capped', cap), ...CRASH_TOOLS.map((name) => limit(name, CRASH_CAP))] }));
  return {
    WEFT_TOOLS_FILE: tools,
    WEFT_BUDGETS_FILE: budgets,
    WEFT_BUDGET_LEASE_MS: String(LEASE_MS),
    WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
    WEFT_ROUTES_FILE: join(FILES, 'routes.yaml'),
    WEFT_EGRESS_ALLOW: receiver,
    WEFT_TOOLS_CONCURRENCY: '1000',
    WEFT_BACKLOG_MAX: '100000',
    WEFT_REQUESTS_PER_MINUTE: '10000000',
    WEFT_LOG_LEVEL: 'warn',
  };
}

async function askedStandalone(home: string, env: Readonly<Record<string, string>>, onProgress: (text: string) => void): Promise<Asked> {
  const subject = await standaloneSubject({ home, env, onProgress });
  return { client: new GatewayClient(subject.connection), victim: subject.processOf('standalone'), killRedis: async () => false, stop: subject.stop };
}

/** Two processes of tools, and a Redis that is theirs alone. */
async function askedMesh(home: string, env: Readonly<Record<string, string>>, onProgress: (text: string) => void): Promise<Asked> {
  const [port] = await freePorts(1);
  const redis = await startRedis({ root: join(home, 'redis'), port: port!, onProgress });
  const mesh = await startMesh({ home, onProgress, env: { ...env, WEFT_REDIS: redis.address }, replicas: { tools: 2 } });
  let isGone = false;
  const killRedis = async (): Promise<boolean> => {
    if (isGone) return false;
    isGone = true;
    await redis.stop();
    return true;
  };
  return {
    client: new GatewayClient(mesh),
    victim: mesh.services.tools[0]!,
    killRedis,
    stop: async () => {
      await mesh.stop();
      await killRedis();
    },
  };
}

/** All at once, among calls that nothing limits; in the middle the cache goes. */
async function runRace(asked: Asked, { calls, seed, onProgress }: BudgetsOptions): Promise<{ readonly accepted: readonly AcceptedRequest<Data>[]; readonly redisKilled: boolean }> {
  onProgress(`${calls} calls at once`);
  const data = Array.from({ length: calls }, (_, n): readonly Data[] => [{ tool: 'prove.capped', n }, ...(n % 10 === 0 ? [{ tool: 'prove.free', n }] : [])]).flat();
  let killing: Promise<boolean> = Promise.resolve(false);
  const onAccepted = (count: number): void => {
    if (count === Math.floor(data.length / 2)) killing = asked.killRedis();
  };
  const accepted = await requestAll(asked.client, data, { type: 'prove.budgets.v1', prefix: `budgets-${seed}`, inFlight: IN_FLIGHT, onAccepted });
  return { accepted, redisKilled: await killing };
}

/** The process dies between reserving and sending, and between the answer and settling. */
async function runCrashes(
  { client, victim }: Asked,
  { deaths, seed, onProgress }: BudgetsOptions,
): Promise<{ readonly accepted: readonly AcceptedRequest<Data>[]; readonly kills: number; readonly wanted: number }> {
  const accepted: AcceptedRequest<Data>[] = [];
  // The read first: who carries it out again has a reservation of its own, and the dead one's is left to its lease.
  const planned = CRASH_TOOLS.flatMap((tool) => CRASH_PLACES.map((place) => ({ tool, place })));
  let kills = 0;
  for (const { tool, place } of planned.slice(0, deaths)) {
    await victim.kill9();
    victim.start({ WEFT_FAILPOINT: `${place}:1` });
    // It may die before anybody has seen it ready.
    await Promise.race([victim.ready().catch(() => undefined), victim.exited]);
    const data = Array.from({ length: CRASH_CALLS / CRASH_PLACES.length }, (_, n): Data => ({ tool: `prove.${tool}`, n }));
    const asking = requestAll(client, data, { type: 'prove.budgets.v1', prefix: `budgets-${seed}-${tool}-${place.replace(/[.:]/g, '-')}`, inFlight: 2 });
    const end = await Promise.race([victim.exited, sleep(15_000, undefined)]);
    if (end === 'SIGKILL') kills++;
    onProgress(`${tool}: ${end === 'SIGKILL' ? 'died' : 'did not die'} at ${place}`);
    await victim.kill9();
    victim.start();
    await victim.ready();
    accepted.push(...(await asking));
  }
  return { accepted, kills, wanted: deaths };
}

async function toolsJudged(client: GatewayClient, cap: number): Promise<readonly object[]> {
  type Shape = { readonly budgets: readonly { readonly name: string; readonly spent?: { readonly calls: number }; readonly reserved?: { readonly calls: number } }[] };
  const { body } = await client.call<Shape>('/v1/budgets');
  const figures = (tool: string): object => {
    const found = body.budgets.find(({ name }) => name === `prove.${tool}`);
    return { spent: found?.spent?.calls ?? 0, reserved: found?.reserved?.calls ?? 0 };
  };
  return [
    { tool: 'capped', cap, isExact: true, idempotent: false, ...figures('capped') },
    { tool: 'crashed', cap: CRASH_CAP, isExact: false, idempotent: false, ...figures('crashed') },
    { tool: 'crashed-write', cap: CRASH_CAP, isExact: true, idempotent: true, ...figures('crashed-write') },
    { tool: 'free', isExact: true, idempotent: true },
  ];
}
