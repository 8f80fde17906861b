// One seed: a world is composed, troubled for a while, healed, and must come to rest.
import { setImmediate as turn } from 'node:timers/promises';
import type { Consumer } from './bus.js';
import { callsTo } from './calls.js';
import type { FaultKind } from './chaos.js';
import { Client } from './client.js';
import { checkEnd, isAtRest } from './end-checks.js';
import { Fleet, type Running } from './fleet.js';
import { KeeperReplica } from './keeper.replica.js';
import { Operator } from './operator.js';
import { OrchestrationReplica } from './orchestration.replica.js';
import { RIGHT_PARTS, type Parts } from './parts.js';
import { Person } from './person.js';
import type { Process } from './process.js';
import { RoutingReplica } from './routing.replica.js';
import { BEGINNING } from './schedule.js';
import { SequencerReplica } from './sequencer.replica.js';
import { ToolsReplica } from './tools.replica.js';
import { World } from './world.js';

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Hash of everything that happened, 8 hex digits: the same seed gives the same. */
  readonly hash: string;
  readonly executions: number;
  /** Executions that entered at least five tasks. */
  readonly longExecutions: number;
  /** Tasks that executions entered. */
  readonly tasks: number;
  readonly commands: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly happened: number;
  /** Virtual time from the beginning to rest, milliseconds. */
  readonly virtualMs: number;
  /** What happened, when it was asked for. */
  readonly lines: readonly string[];
}

export interface SimulationOptions {
  /** Default: everything as it should be. */
  readonly parts?: Parts;
  readonly isTraced?: boolean;
}

const LONG = 5;
const TROUBLE_MS = 18_000;
const TROUBLE_EVERY_MS = 900;
/** After the heal everything must come to rest in this time. */
const REST_MS = 150_000;
/** More than any seed needs: a loop without end is a violation, not a hang. */
const HAPPENINGS_MAX = 60_000;

/** Runs one seed to its end. */
export async function simulate(seed: number, { parts = RIGHT_PARTS, isTraced = false }: SimulationOptions = {}): Promise<Outcome> {
  const world = new World(seed, parts, isTraced);
  const { schedule, chaos, watch, executions } = world;
  const { client, operator, fleets } = compose(world);
  let isRested = false;
  let isOver = false;
  schedule.after(TROUBLE_MS, 'everything heals', () => heal(world, fleets));
  const look = (): void => {
    isRested = chaos.isHealed && isAtRest(world, client, operator);
    isOver = isRested || schedule.now > BEGINNING + TROUBLE_MS + REST_MS;
    if (!isOver) schedule.after(1_000, '', look);
  };
  schedule.after(1_000, '', look);
  // What breaks an invariant may break whoever reads what it left behind: that is found, too.
  const guarded = <T>(act: () => T, otherwise: T): T => {
    try {
      return act();
    } catch (fault) {
      watch.violate(`defect: something that happened threw: ${String(fault)}`);
      return otherwise;
    }
  };
  while (!isOver && schedule.happened < HAPPENINGS_MAX && guarded(() => schedule.step(), true)) await turn();
  if (schedule.happened >= HAPPENINGS_MAX) watch.violate(`I10: ${HAPPENINGS_MAX} things happened and there is no end`);
  guarded(() => checkEnd(world, client, operator, isRested), undefined);
  const entered = [...executions.rows.values()].map(({ state }) => state.entered);
  const tasks = entered.reduce((sum, count) => sum + count, 0);
  const longExecutions = entered.filter((count) => count >= LONG).length;
  const { hash, lines, happened, now } = schedule;
  return { seed, violations: watch.violations, hash, executions: entered.length, longExecutions, tasks, commands: watch.commands, faults: chaos.counts, happened, virtualMs: now - BEGINNING, lines };
}

function compose(world: World): { readonly client: Client; readonly operator: Operator; readonly fleets: readonly Fleet<Running>[] } {
  const { bus, random } = world;
  let logHolder: Process | undefined;
  const mayTakeOver = (process: Process): boolean => {
    if (logHolder && logHolder !== process && logHolder.isAlive && !logHolder.isPaused) return false;
    logHolder = process;
    return true;
  };
  const tools: Fleet<ToolsReplica> = new Fleet(world, 'tools', random.between(1, 2), (process) => new ToolsReplica(world, process));
  const keepers: Fleet<KeeperReplica> = new Fleet(world, 'keeper', 1, (process) => new KeeperReplica(world, process));
  const callPeer = callsTo(world, { tools: () => tools, memory: () => keepers, validation: () => keepers });
  const orchestration: Fleet<OrchestrationReplica> = new Fleet(world, 'orchestration', random.between(1, 3), (process) => new OrchestrationReplica(world, process, callPeer));
  const routing: Fleet<RoutingReplica> = new Fleet(world, 'routing', random.between(1, 2), (process) => new RoutingReplica(world, process));
  const sequencers: Fleet<SequencerReplica> = new Fleet(world, 'audit', 2, (process) => new SequencerReplica(world, process, mayTakeOver));
  bus.subscribe('requests', 'routing', () => routing.members);
  bus.subscribe('commands', 'orchestration', () => orchestration.members);
  bus.subscribe('jobs', 'tools', () => tools.members);
  const hearers = new Map<RoutingReplica, Consumer>();
  bus.subscribe('lifecycle', 'routing', () =>
    routing.members.map((replica) => {
      const hearer = hearers.get(replica) ?? { process: replica.process, handle: replica.hear };
      hearers.set(replica, hearer);
      return hearer;
    }),
  );
  const client = new Client(world, routing, orchestration);
  client.begin();
  const operator = new Operator(world, orchestration, (fork, request) => client.signal(fork, request));
  world.onAccepted = (execution, request) => {
    client.signal(execution, request);
    operator.plan(execution);
  };
  new Person(world, orchestration).begin();
  const fleets = [orchestration, tools, routing, keepers, sequencers];
  trouble(world, fleets);
  return { client, operator, fleets };
}

/** Something happens to somebody, again and again until the heal. */
function trouble(world: World, fleets: readonly Fleet<Running>[]): void {
  const { schedule, random, chaos, bus } = world;
  schedule.after(random.between(1, TROUBLE_EVERY_MS), '', () => {
    if (chaos.isHealed) return;
    random.pick(fleets).trouble();
    if (chaos.strikes('bus-poison')) bus.put('commands', { id: `poison-${schedule.happened}`, key: `poison-${random.below(9)}`, body: 'poison' });
    trouble(world, fleets);
  });
}

function heal({ chaos, executions, effects, requests }: World, fleets: readonly Fleet<Running>[]): void {
  chaos.isHealed = true;
  for (const store of [executions.store, effects, requests]) store.awayUntil = 0;
  for (const fleet of fleets) for (const { process } of fleet.members) process.wake();
}
