// People: one of them looks at open reviews, claims and decides them after a while, and tells the truth about effects.
import { outstandingJobs, type ExecutionCommand, type ReviewKind } from '@weft/orchestration/core';
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
    const { random, receiver } = this.world;
    const { job, generation } = subject as { readonly job: string; readonly generation: number };
    const happened = kind === 'effect-outcome' ? receiver.happened.get(`default/${job}/${generation}`) : undefined;
    const outcome = kind === 'effect-outcome' ? (happened ? 'happened' : 'did-not-happen') : kind === 'action' && random.chance(0.1) ? 'rejected' : 'approved';
    const form = happened ? { amount: happened.amount } : null;
    const by = `user:person-${random.between(1, 3)}`;
    const about = { tenant: TENANT, review: id, roles: ['heads'] };
    const decide: ExecutionCommand = { ...about, type: 'DecideReview', outcome, comment: '', form, decidedBy: by };
    const claim: ExecutionCommand = { ...about, type: 'ChangeReview', change: 'claim', by, leaseMs: 2_000, to: '', text: '' };
    for (const command of random.chance(0.2) ? [claim, decide] : [decide])
      replica.process.later(random.between(1, 10), `person ${command.type} ${id}`, () => {
        replica.submit([{ key: execution, command, messageId: `review/${id}` }]).catch(() => undefined);
      });
  }
}
