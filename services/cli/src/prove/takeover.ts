// Replicas of orchestration die, stand still and are cut off under load, then restart one after the other; two judges say what became of it.
import { KafkaBus } from '@weft/adapter-kafka';
import { TOPICS, type ResultBody } from '@weft/contracts';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import type { Plant } from './plants.js';
import { replicatedSubject, type ReplicatedSubject, type Way } from './replicated-subject.js';
import { seeded } from './seeded.js';
import { openTrial, type Trial } from './trial.js';

/** Faults that the proof must notice: those of the trial, and two of its own. */
export const TAKEOVER_PLANTS = ['none', 'lost-result', 'applied-twice', 'no-key', 'all-replicas', 'no-takeover'] as const;
export type TakeoverPlant = (typeof TAKEOVER_PLANTS)[number];

export interface TakeoverOptions {
  readonly rounds: number;
  /** Requests a second, from the first to the last second. */
  readonly rate: number;
  readonly seed: number;
  readonly plant: TakeoverPlant;
  readonly onProgress: (text: string) => void;
  /** Rejects when the proof is to stop. */
  readonly told: Promise<never>;
}

export interface TakeoverReport {
  readonly executions: number;
  readonly seconds: number;
  readonly seed: number;
  readonly [count: string]: unknown;
}

interface Span {
  from: number;
  to: number;
}

type Kind = 'kill' | 'pause' | 'cut';

const REPLICAS = 3;
// Longer than a session with the broker (6 s), a replica's time to live (3 s) and a claim of a timer (5 s).
const HOLD_MS = { kill: 8_000, pause: 10_000, cut: 10_000 } as const;
// What a round leaves behind shows until then.
const AFTER_MS = 3_000;
const WARM_MS = 5_000;
const STEADY_MS = 15_000;
// The wait is about 7 s where there is CPU to spare; its bar tells a take-over on a busy machine from none.
const BARS = { stallMs: { kill: 3_000, pause: 12_000, cut: 12_000 }, waitMs: { kill: 30_000, pause: 30_000, cut: 30_000 }, rollingFactor: 3 };
const CUTS: readonly (readonly Way[])[] = [['store'], ['bus'], ['store', 'bus']];
// Planted: nobody misses a replica that is gone, and nobody looks for what it had begun.
const NO_TAKEOVER = { WEFT_REPLICA_TTL_MS: '600000', WEFT_SWEEP_MS: '600000', WEFT_KAFKA_SESSION_MS: '120000' };

export async function proveTakeover(options: TakeoverOptions): Promise<{ readonly report: TakeoverReport; readonly clean: boolean }> {
  const { seed, plant, onProgress, told } = options;
  const subjects: ReplicatedSubject[] = [];
  const trial = await openTrial({
    name: 'takeover',
    profile: 'mesh',
    seed,
    plant: plant === 'all-replicas' || plant === 'no-takeover' ? 'none' : (plant satisfies Plant),
    onProgress,
    lostAnswers: 0,
    subjectOf: async (given) => {
      const subject = await replicatedSubject(given, REPLICAS, plant === 'no-takeover' ? NO_TAKEOVER : {});
      subjects.push(subject);
      return subject;
    },
  });
  const startedAt = performance.now();
  let watch: ResultWatch | undefined;
  try {
    const subject = subjects[0]!;
    watch = await watchResults(subject.brokers);
    const load = startLoad(trial, options.rate);
    let run: Run;
    try {
      run = await Promise.race([underFaults(subject, options), told]);
    } finally {
      load.end();
    }
    await Promise.race([load.settled(), told]);
    const { counts, clean } = await Promise.race([trial.judge(), told]);
    await sleep(500);
    const { verdict, isClean } = await judgeProgress({ requests: load.sent, ended: watch.ended, ...run });
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { report: { ...counts, ...verdict, executions: load.sent.size, seconds, seed } as TakeoverReport, clean: clean && isClean };
  } finally {
    await watch?.close();
    await trial.stop();
  }
}

interface Run {
  readonly rounds: readonly (Span & { readonly kind: Kind })[];
  readonly steady: Span;
  readonly rolling: Span;
}

async function underFaults(subject: ReplicatedSubject, { rounds: count, seed, plant, onProgress }: TakeoverOptions): Promise<Run> {
  const random = seeded(seed);
  await sleep(WARM_MS);
  const rounds: (Span & { kind: Kind })[] = [];
  for (let round = 0; round < count; round++) {
    const kind = (['kill', 'pause', 'cut'] as const)[round % 3]!;
    const ways = CUTS[Math.floor(round / 3) % CUTS.length]!;
    const victim = random.pick(subject.victims);
    const struck = plant === 'all-replicas' ? subject.victims : [victim];
    const from = performance.now();
    onProgress(`round ${round + 1} of ${count}: ${kind}${kind === 'cut' ? ` from ${ways.join(' and ')}` : ''}, replica ${subject.victims.indexOf(victim) + 1}`);
    if (kind === 'kill') {
      await Promise.all(struck.map(({ process }) => process.kill9()));
      await sleep(HOLD_MS.kill);
      for (const { process } of struck) process.start();
      await Promise.all(struck.map(({ process }) => process.ready()));
    } else if (kind === 'pause') {
      for (const each of struck) each.pause();
      await sleep(HOLD_MS.pause);
      for (const each of struck) each.wake();
    } else {
      for (const each of struck) each.cut(ways);
      await sleep(HOLD_MS.cut);
      for (const each of struck) each.heal();
    }
    await sleep(AFTER_MS);
    rounds.push({ kind, from, to: performance.now() });
  }
  // Right before what it is compared with, so that both see the same machine, as warm.
  await sleep(AFTER_MS);
  onProgress('a load without faults');
  const steady = { from: performance.now(), to: 0 };
  await sleep(STEADY_MS);
  steady.to = performance.now();
  onProgress('restarting one replica after the other');
  const rolling = { from: performance.now(), to: 0 };
  for (const { process } of subject.victims) {
    await process.stop();
    process.start();
    await process.ready();
    await sleep(AFTER_MS);
  }
  rolling.to = performance.now();
  await sleep(AFTER_MS);
  return { rounds, steady, rolling };
}

interface Load {
  /** When each request was sent. */
  readonly sent: ReadonlyMap<string, number>;
  /** Nothing is sent from then on. */
  end(): void;
  /** Resolves when all that was sent has been accepted. */
  settled(): Promise<void>;
}

/** Sends requests at a fixed rate, whatever becomes of those before: a load that waits for answers would hide a stall. */
function startLoad(trial: Trial, rate: number): Load {
  const sent = new Map<string, number>();
  const open = new Set<Promise<void>>();
  const begin = performance.now();
  let next = 0;
  const timer = setInterval(() => {
    for (; next < ((performance.now() - begin) / 1_000) * rate; next++) {
      sent.set(trial.idOf(next), performance.now());
      const asking = trial.request(next).finally(() => open.delete(asking));
      open.add(asking);
    }
  }, 5);
  return {
    sent,
    end: () => clearInterval(timer),
    settled: async () => void (await Promise.all(open)),
  };
}

interface ResultWatch {
  /** First result of each request: when it was seen, and what it says. */
  readonly ended: ReadonlyMap<string, { readonly at: number; readonly status: string }>;
  close(): Promise<void>;
}

async function watchResults(brokers: string): Promise<ResultWatch> {
  const bus = new KafkaBus({ brokers: [brokers], clientId: 'prove' });
  const ended = new Map<string, { at: number; status: string }>();
  await bus.subscribe({
    topic: TOPICS.results.name,
    group: `prove-${randomUUID()}`,
    from: 'latest',
    handle: async (batch) => {
      const at = performance.now();
      for (const delivery of batch) {
        if (!delivery.ok) continue;
        const { requestId, status } = delivery.envelope.body as ResultBody;
        if (!ended.has(requestId)) ended.set(requestId, { at, status });
      }
    },
  });
  return { ended, close: () => bus.close() };
}

interface Seen extends Run {
  readonly requests: ReadonlyMap<string, number>;
  readonly ended: ResultWatch['ended'];
}

function judgeProgress({ requests, ended, ...run }: Seen): Promise<{ readonly verdict: Readonly<Record<string, unknown>>; readonly isClean: boolean }> {
  const file = join(inHome('prove', 'takeover'), 'progress.json');
  const seen = [...requests].map(([id, sentAt]) => {
    const end = ended.get(id);
    return { id, sentAt, ...(end === undefined ? {} : { doneAt: end.at, status: end.status }) };
  });
  writeFileSync(file, JSON.stringify({ requests: seen, ...run, bars: BARS }));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [inRoot('tests', 'faults', 'dist', 'takeover-checker.main.js'), '--input', file], (error, stdout, stderr) => {
      const code = error ? Number((error as { code?: unknown }).code) : 0;
      if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge of progress could not judge: ${stderr.trim() || error?.message}`));
      else resolve({ verdict: JSON.parse(stdout) as Record<string, unknown>, isClean: code === 0 });
    });
  });
}
