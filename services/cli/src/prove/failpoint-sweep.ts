// Weft dies at every failpoint, on both sides, while executions run; each life after a death meets what the one before left undone.
import { FAILPOINT_REACHED } from '@weft/nest-platform';
import { FAILPOINTS, type Failpoint, type FailpointSide } from '@weft/pipeline';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, EXIT } from '../exit-codes.js';
import type { Profile } from '../processes/profile.js';
import type { ServiceProcess } from '../processes/service-process.js';
import type { Plant } from './plants.js';
import { seeded } from './seeded.js';
import { openTrial, type Trial } from './trial.js';

export interface SweepOptions {
  readonly profile: Profile;
  /** Names that begin so; empty: all that the profile has. */
  readonly only: string;
  readonly seed: number;
  readonly plant: Plant;
  readonly onProgress: (text: string) => void;
  /** Rejects when the proof is to stop. */
  readonly told: Promise<never>;
}

/** The judge's counts and sentences, and how far the sweep came. */
export interface SweepReport {
  readonly failpoints: number;
  /** Deaths that were wanted: each failpoint, before and after. */
  readonly runs: number;
  /** Deaths that came about, at the very place. */
  readonly hit: number;
  /** Places that were never reached. */
  readonly missed: readonly string[];
  readonly seconds: number;
  readonly seed: number;
  readonly profile: string;
  readonly [count: string]: unknown;
}

interface Place {
  readonly name: Failpoint;
  readonly side: FailpointSide;
}

const LANES = 4;
const PAUSE_MS = 300;
const TRIES_MAX = 3;
/** How long one life may take to reach the place. A member of a Kafka group that died is missed by the group for ten seconds. */
const LIFE_MS_MAX: Readonly<Record<Profile, number>> = { standalone: 12_000, mesh: 40_000 };
/** Passed at most a few times in a life: they kill the first time. */
const RARE: ReadonlySet<Failpoint> = new Set(['audit.take-over', 'orchestration.republish', 'routing.redeliver', 'tools.reconcile', 'gateway.decide-review', 'orchestration.decide-review']);
const NTH_MAX = 4;
/** Reached only when something was left undone: a life before dies where it leaves that. */
const LEFT_BY: Readonly<Partial<Record<Failpoint, Place>>> = {
  'orchestration.republish': { name: 'orchestration.announce', side: 'after' },
  'routing.redeliver': { name: 'routing.publish-starts', side: 'before' },
};

export async function proveFailpoints(options: SweepOptions): Promise<{ readonly report: SweepReport; readonly clean: boolean }> {
  const { profile, seed, plant, onProgress, told } = options;
  const places = placesOf(options);
  if (places.length === 0)
    throw new CommandFailed(`Expected a failpoint of ${profile} that begins with ${JSON.stringify(options.only)} but there is none. There are: ${FAILPOINTS.join(', ')}.`, EXIT.usage);
  const trial = await openTrial({ name: `failpoints-${profile}`, profile, seed, plant, onProgress });
  try {
    const startedAt = performance.now();
    const missed = await Promise.race([sweep(trial, places, options), told]);
    const { counts, clean } = await Promise.race([trial.judge(), told]);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const report = { failpoints: new Set(places.map(({ name }) => name)).size, runs: places.length, hit: places.length - missed.length, missed, ...counts, seconds, seed, profile };
    return { report, clean: clean && missed.length === 0 };
  } finally {
    await trial.stop();
  }
}

function placesOf({ profile, only }: SweepOptions): readonly Place[] {
  const names = FAILPOINTS.filter((name) => name.startsWith(only) && (profile === 'mesh' || !name.startsWith('kafka.')));
  return names.flatMap((name) => [
    { name, side: 'before' as const },
    { name, side: 'after' as const },
  ]);
}

/** Which process reaches it. */
function ownerOf(name: Failpoint, profile: Profile): string {
  if (profile === 'standalone') return profile;
  return name.startsWith('kafka.') ? 'orchestration' : name.slice(0, name.indexOf('.'));
}

/** Goes through the places of each process in turn, of all processes side by side. @returns places that were never reached. */
async function sweep({ subject, requests, request }: Trial, places: readonly Place[], { profile, seed, onProgress }: SweepOptions): Promise<readonly string[]> {
  const random = seeded(seed);
  const missed: string[] = [];
  let [next, done, isOver] = [0, 0, false];
  const load = async (): Promise<void> => {
    while (!isOver) {
      await request(next++);
      await sleep(PAUSE_MS);
    }
  };
  const loading = Promise.all(Array.from({ length: LANES }, load));
  // A fault of the load ends the sweep; until then it must not count as unhandled.
  loading.catch(() => undefined);
  try {
    const byOwner = Map.groupBy(places, ({ name }) => ownerOf(name, profile));
    await Promise.all(
      [...byOwner].map(async ([owner, own]) => {
        const service = subject.processOf(owner);
        for (const place of own) {
          const nth = RARE.has(place.name) ? 1 : 1 + Math.floor(random.between(0, NTH_MAX));
          const isHit = await diesAt(service, place, nth, LIFE_MS_MAX[profile]);
          if (!isHit) missed.push(`${place.name}:${place.side}`);
          onProgress(`${++done} of ${places.length}: ${place.name}:${place.side} ${isHit ? 'died there' : 'was never reached'}; ${requests.length} requests accepted`);
        }
        await service.kill9();
        service.start();
        await service.ready();
      }),
    );
  } finally {
    isOver = true;
  }
  await loading;
  return missed;
}

/** Starts lives that are to die at the place, until one did. */
async function diesAt(service: ServiceProcess, place: Place, nth: number, lifeMsMax: number): Promise<boolean> {
  const before = LEFT_BY[place.name];
  for (let life = 1; life <= TRIES_MAX; life++) {
    if (before) await endsAt(service, before, 1, lifeMsMax);
    if (await endsAt(service, place, life === 1 ? nth : 1, lifeMsMax)) return true;
  }
  return false;
}

/** One life. @returns whether it died at the place; false when it never came there. @throws CommandFailed when it ended in another way. */
async function endsAt(service: ServiceProcess, { name, side }: Place, nth: number, lifeMsMax: number): Promise<boolean> {
  const { logFile } = service.options;
  await service.kill9();
  const from = statSync(logFile).size;
  service.start({ WEFT_FAILPOINT: `${name}:${side}:${nth}` });
  const end = await Promise.race([service.exited.then((signal) => ({ signal })), sleep(lifeMsMax, undefined)]);
  if (end === undefined) return false;
  const says = readFileSync(logFile).subarray(from).toString('utf8');
  if (end.signal === 'SIGKILL' && says.includes(`${FAILPOINT_REACHED} ${name}:${side}`)) return true;
  throw new CommandFailed(`Expected ${service.name} to die at ${name}:${side} but it ended by itself: ${says.trimEnd().split('\n').slice(-4).join('\n') || 'it said nothing'}`);
}
