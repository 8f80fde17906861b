// Carries jobs to whoever does them, after the commit that scheduled them: one batched call per peer, or weft.jobs.
import { contextOf, failedCommand, type Command, type Job, type WorkerPeer } from '@weft/contracts';
import { isLong, type ExecutionState, type OutstandingJob } from '@weft/orchestration/core';
import { failpoint, outgoing, type Bus } from '@weft/pipeline';
import { payloadTooLarge } from '../payload-limit.js';
import { jobMessage } from './job.codec.js';
import { serviceOfKind, type Workers } from './workers.js';

export interface DispatcherPorts {
  readonly bus: Bus;
  readonly workers: Workers;
  /** Takes results as they come back. */
  readonly report: (commands: readonly Command[]) => void;
  /** Largest input of a job, in bytes. */
  readonly payloadBytesMax: number;
  readonly onFault: (fault: unknown, what: string) => void;
}

/** Jobs of one execution to be dispatched. */
export interface Dispatch {
  readonly state: ExecutionState;
  readonly jobs: readonly OutstandingJob[];
}

// One call of this many jobs and characters of input at most, so that a call and its reply stay small.
const JOBS_PER_CALL = 256;
const CHARACTERS_PER_CALL = 4 * 1024 * 1024;

export class JobDispatcher {
  #calls = 0;

  constructor(private readonly ports: DispatcherPorts) {}

  /** Calls to peers that have not ended. */
  get callsUnderWay(): number {
    return this.#calls;
  }

  /** Sends the jobs of a batch. Resolves when long jobs are on the bus; quick ones report by themselves. */
  async dispatch(batch: readonly Dispatch[]): Promise<void> {
    failpoint('orchestration.dispatch', 'before');
    const quick = new Map<keyof Workers, Job[]>();
    const long: Job[] = [];
    for (const { state, jobs } of batch) {
      for (const job of jobs) {
        const message = jobMessage(state, job);
        const tooLarge = payloadTooLarge('the input of a job', message.inputJson, this.ports.payloadBytesMax);
        if (tooLarge) {
          this.ports.report([failedCommand(message, tooLarge)]);
          continue;
        }
        const service = isLong(job) ? undefined : serviceOfKind(job.kind);
        if (service === undefined) long.push(message);
        else if (quick.get(service)?.push(message) === undefined) quick.set(service, [message]);
      }
    }
    for (const [service, jobs] of quick) {
      for (const call of callsOf(jobs)) this.#carryOut(service, call);
    }
    if (long.length > 0) {
      await this.ports.bus.publish(
        long.map((job) =>
          outgoing('jobs', {
            // Another attempt of the same job is another message; the idempotency key stays.
            id: `${job.id}/${job.generation}/${job.context?.attempt ?? 1}`,
            source: '/weft/orchestration',
            type: `ai.weft.job.${job.kind}.v1`,
            subject: job.kind,
            key: job.executionId,
            context: job.context ?? contextOf({ tenant: '' }),
            body: job,
          }),
        ),
      );
    }
    failpoint('orchestration.dispatch', 'after');
  }

  /** A call that fails loses nothing: its jobs stay outstanding and are dispatched again. */
  #carryOut(service: keyof Workers, jobs: Job[]): void {
    this.#calls++;
    void this.#collect(this.ports.workers[service], jobs)
      .catch((fault: unknown) => this.ports.onFault(fault, `carrying out ${jobs.length} jobs in ${service}`))
      .finally(() => this.#calls--);
  }

  async #collect(worker: WorkerPeer, jobs: Job[]): Promise<void> {
    // Each job carries its own context; the call itself belongs to none of them.
    for await (const { commands } of worker.carryOut({ jobs }, contextOf({ tenant: '', actor: 'service:orchestration' }))) this.ports.report(commands);
  }
}

/** Parts of a list of jobs, each small enough for one call. */
function* callsOf(jobs: readonly Job[]): Generator<Job[]> {
  let call: Job[] = [];
  let characters = 0;
  for (const job of jobs) {
    if (call.length === JOBS_PER_CALL || (call.length > 0 && characters + job.inputJson.length > CHARACTERS_PER_CALL)) {
      yield call;
      [call, characters] = [[], 0];
    }
    call.push(job);
    characters += job.inputJson.length;
  }
  if (call.length > 0) yield call;
}
