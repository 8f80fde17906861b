// Calls between services: a batch of jobs goes out, each result comes back by itself, and each of them may be lost.
import type { Fleet } from './fleet.js';
import type { Job, Sent } from './job.js';
import type { CallPeer } from './orchestration.replica.js';
import type { Process } from './process.js';
import type { World } from './world.js';

interface Worker {
  readonly process: Process;
  readonly carry: (job: Job) => Promise<Sent | undefined>;
}

export function callsTo(world: World, workers: Readonly<Record<'tools' | 'memory' | 'validation', () => Fleet<Worker & { readonly process: Process }>>>): CallPeer {
  const { chaos, random, schedule } = world;

  const arrive = (worker: Worker, from: Process, jobs: readonly Job[], report: (commands: readonly Sent[]) => void): void => {
    worker.process.later(0, `takes ${jobs.length} jobs from ${from.name}`, () => {
      for (const job of jobs) {
        worker.carry(job).then(
          (sent) => {
            if (!sent) return;
            world.watch.onResult(sent.command);
            answer(worker.process, from, sent, report);
          },
          (defect: unknown) => world.watch.violate(`defect: carrying out ${job.id}: ${String(defect)}`),
        );
      }
    });
  };

  const answer = (worker: Process, from: Process, sent: Sent, report: (commands: readonly Sent[]) => void): void => {
    if (!worker.isAlive || chaos.strikes('answer-lost')) return;
    const times = chaos.strikes('answer-duplicate') ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const ms = chaos.strikes('answer-late') ? random.between(1_000, 9_000) : random.between(1, 10);
      from.later(ms, `hears ${sent.command.type}`, () => report([sent]));
    }
  };

  return (from, service, jobs, report) => {
    if (!from.isAlive || chaos.strikes('call-lost')) return;
    const times = chaos.strikes('call-duplicate') ? 2 : 1;
    for (let time = 0; time < times; time++) {
      schedule.after(random.between(1, 8), '', () => {
        const worker = workers[service]().any();
        if (worker) arrive(worker, from, jobs, report);
      });
    }
  };
}
