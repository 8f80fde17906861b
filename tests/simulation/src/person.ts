// A person: looks at open reviews, decides them after a while, and tells the truth about effects.
import { outstandingJobs, type ReviewKind } from '@weft/orchestration/core';
import { TENANT } from './execution-table.js';
import type { Fleet } from './fleet.js';
import type { OrchestrationReplica } from './orchestration.replica.js';
import type { World } from './world.js';

const LOOK_MS = 700;

export class Person {
  readonly #decidedAt = new Map<string, number>();
  /** Whether reviews are left until nothing else of the execution is under way: what is lost beside one must be found without it. */
  readonly #isPatient: boolean;

  constructor(
    private readonly world: World,
    private readonly orchestration: Fleet<OrchestrationReplica>,
  ) {
    this.#isPatient = world.random.chance(0.4);
  }

  begin(): void {
    const { chaos, executions, random, schedule } = this.world;
    for (const review of executions.reviews.values()) {
      // A decision that nobody heard is made again.
      if ((this.#decidedAt.get(review.id) ?? 0) > schedule.now - 5_000 || random.chance(0.4)) continue;
      if (this.#isPatient && outstandingJobs(executions.rows.get(review.execution)!.state).length > 0) continue;
      this.#decidedAt.set(review.id, schedule.now);
      const times = chaos.strikes('review-decided-twice') ? 2 : 1;
      for (let time = 0; time < times; time++) this.#decide(review);
    }
    schedule.after(LOOK_MS, '', () => this.begin());
  }

  #decide({ id, kind, subject, execution }: { readonly id: string; readonly kind: ReviewKind; readonly subject: unknown; readonly execution: string }): void {
    const replica = this.orchestration.any();
    if (!replica) return;
    const { job, generation } = subject as { readonly job: string; readonly generation: number };
    const happened = kind === 'effect-outcome' ? this.world.receiver.happened.get(`default/${job}/${generation}`) : undefined;
    const outcome = kind === 'approval' ? 'approved' : happened ? 'happened' : 'did-not-happen';
    const form = happened ? { amount: happened.amount } : null;
    replica.process.later(this.world.random.between(1, 10), `person decides ${id}`, () => {
      replica
        .submit([{ key: execution, command: { type: 'DecideReview', tenant: TENANT, review: id, outcome, comment: '', form, decidedBy: 'person' }, messageId: `review/${id}` }])
        .catch(() => undefined);
    });
  }
}
