// Random kill -9 while executions run; afterwards an independent judge compares what was promised with what happened.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Profile } from '../processes/profile.js';
import type { Plant } from './plants.js';
import { seeded } from './seeded.js';
import { openTrial, type Trial } from './trial.js';

export interface KillsOptions {
  readonly executions: number;
  readonly kills: number;
  readonly profile: Profile;
  readonly seed: number;
  /** A fault that the proof must notice. */
  readonly plant: Plant;
  readonly onProgress: (text: string) => void;
  /** Rejects when the proof is to stop. */
  readonly told: Promise<never>;
}

/** The judge's counts and sentences, and how the run was. */
export interface KillsReport {
  readonly kills: number;
  readonly seconds: number;
  readonly seed: number;
  readonly profile: string;
  readonly [count: string]: unknown;
}

const IN_FLIGHT = 24;

export async function proveKills(options: KillsOptions): Promise<{ readonly report: KillsReport; readonly clean: boolean }> {
  const { profile, seed, kills, plant, onProgress, told } = options;
  const trial = await openTrial({ name: profile, profile, seed, plant, onProgress });
  try {
    const startedAt = performance.now();
    await Promise.race([runUnderKills(trial, options), told]);
    const { counts, clean } = await Promise.race([trial.judge(), told]);
    return { report: { ...counts, kills, seconds: Math.round((performance.now() - startedAt) / 100) / 10, seed, profile }, clean };
  } finally {
    await trial.stop();
  }
}

/** Publishes all requests while processes die. */
async function runUnderKills({ subject, requests, request }: Trial, { executions, kills, seed, onProgress }: KillsOptions): Promise<void> {
  const random = seeded(seed);
  let [next, killed] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < executions) {
      const n = next++;
      // Spread over the kills, so that each of them meets work at every stage.
      while (killed < Math.floor((n * kills) / executions)) await sleep(20);
      await request(n);
    }
  };
  const killing = (async () => {
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(random.between(100, 700));
      const target = random.pick(subject.targets);
      await subject.kill(target);
      killed = kill;
      onProgress(`kill ${kill} of ${kills}: ${target}; ${requests.length} of ${executions} requests accepted`);
    }
  })();
  await Promise.all([killing, ...Array.from({ length: IN_FLIGHT }, lane)]);
}
