// What became of the starts: an execution that has begun needs its start no more.
import type { Delivery, LifecycleBody } from '@weft/contracts';
import { failpoint } from '@weft/pipeline';
import type { Admission } from '../handle/admission.js';
import type { RequestStore } from '../persist/request.store.js';

// Any of them proves that the execution began; the end of a short one may be read before its beginning was.
const BEGUN: ReadonlySet<string> = new Set(['started', 'completed', 'faulted', 'cancelled'].map((change) => `io.serverlessworkflow.workflow.${change}.v1`));

export class LifecycleConsumer {
  constructor(
    private readonly store: Pick<RequestStore, 'settle'>,
    private readonly admission: Pick<Admission, 'begun'>,
  ) {}

  /** Takes a batch of weft.lifecycle: one statement for all executions in it. What cannot be read concerns others. */
  async handle(batch: readonly Delivery[]): Promise<void> {
    const begun = new Set<string>();
    for (const delivery of batch) {
      if (delivery.ok && BEGUN.has(delivery.envelope.type)) begun.add((delivery.envelope.body as LifecycleBody).executionId);
    }
    if (begun.size === 0) return;
    failpoint('routing.settle-requests', 'before');
    this.admission.begun(await this.store.settle([...begun].sort()));
    failpoint('routing.settle-requests', 'after');
  }
}
