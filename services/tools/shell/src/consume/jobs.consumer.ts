// weft.jobs: long jobs, buffered by the bus. The offset moves when the results are on weft.commands.
import { setTimeout as sleep } from 'node:timers/promises';
import { commandEnvelope, contextOf, type Delivery, type Job } from '@weft/contracts';
import { rejection, type Rejection } from '@weft/kernel';
import { deadLetter, outgoing, systemClock, type Bus, type Outgoing } from '@weft/pipeline';
import { commandBatches } from '../carry-out/command-stream.js';
import type { ToolsWorker } from '../carry-out/worker.js';

// A result took a model call: it is offered to the bus for about 10 s before the batch comes again.
const PUBLISH_PAUSES_MS = [100, 300, 1_000, 3_000, 6_000];

// More would only wait inside this process.
const UNDER_WAY_MAX = 1_024;

export interface JobsConsuming {
  /** The bus lives in this process and forgets with it: a batch is done with when its jobs are begun, so that one slow model holds up nobody. Default false. */
  readonly isVolatile?: boolean;
  /** Told of results that could not be published while nobody waited for them. */
  readonly onFault?: (fault: unknown) => void;
}

export class JobsConsumer {
  /** Batches whose jobs go on after they were done with, and how many jobs those are. */
  readonly #underWay = new Set<Promise<void>>();
  #jobsUnderWay = 0;

  constructor(
    private readonly worker: ToolsWorker,
    private readonly bus: Bus,
    private readonly consuming: JobsConsuming = {},
  ) {}

  /** Resolves when all that was begun has been published. */
  async drain(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /**
   * Takes a batch. On a bus that lasts it is done with when its results are published. A job that came to nothing is not waited for: orchestration dispatches it again.
   * @throws Fault when results could not be published: the batch comes again, and the ledger answers what was done.
   */
  async handle(batch: readonly Delivery[]): Promise<void> {
    const jobs: Job[] = [];
    const dead: Outgoing[] = [];
    for (const delivery of batch) {
      const job = delivery.ok ? (delivery.envelope.body as Job) : undefined;
      if (!delivery.ok) dead.push(setAside(delivery, delivery.rejection));
      else if (!job || job.id === '' || !job.context) dead.push(setAside(delivery, rejection('message-invalid', 'Expected a job with id and context but one of them is missing.')));
      else if (this.worker.carriesOut(job.kind)) jobs.push(job);
      // What is left is somebody else's.
    }
    if (dead.length > 0) await this.bus.publish(dead);
    if (this.consuming.isVolatile !== true) return this.#carry(jobs);
    this.#begin(jobs);
    while (this.#jobsUnderWay > UNDER_WAY_MAX) await Promise.race(this.#underWay);
  }

  #begin(jobs: readonly Job[]): void {
    this.#jobsUnderWay += jobs.length;
    const carried = this.#carry(jobs)
      .catch((fault: unknown) => this.consuming.onFault?.(fault))
      .finally(() => {
        this.#underWay.delete(carried);
        this.#jobsUnderWay -= jobs.length;
      });
    this.#underWay.add(carried);
  }

  async #carry(jobs: readonly Job[]): Promise<void> {
    for await (const { commands } of commandBatches(jobs.map((job) => this.worker.carry(job))))
      await this.#publish(commands.map((command) => outgoing('commands', commandEnvelope(command, '/weft/tools'))));
  }

  async #publish(messages: readonly Outgoing[]): Promise<void> {
    for (const pauseMs of PUBLISH_PAUSES_MS) {
      try {
        return await this.bus.publish(messages);
      } catch {
        await sleep(pauseMs);
      }
    }
    await this.bus.publish(messages);
  }
}

function setAside(delivery: Delivery, reason: Rejection): Outgoing {
  const context = delivery.ok ? delivery.envelope.context : contextOf({ tenant: '' });
  // A bus inside the process may have no record of a message; what was decoded takes its place.
  const raw =
    delivery.raw ??
    (delivery.ok
      ? { topic: 'weft.jobs', partition: -1, offset: delivery.envelope.id, key: delivery.envelope.key, headers: {}, value: Buffer.from(JSON.stringify(delivery.envelope.body ?? null)) }
      : undefined);
  return deadLetter(raw ?? { topic: 'weft.jobs', partition: -1, offset: '', key: '', headers: {}, value: new Uint8Array() }, reason, context, systemClock.now());
}
