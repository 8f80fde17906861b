// One span a decision, for sampled executions only: the others cost nothing here.
import { tracerFor } from '@weft/nest-platform';
import { isSampled, openSpan } from '@weft/telemetry';
import type { ExecutionCommit } from '../persist/execution-store.js';
import { contextOfExecution } from './job.codec.js';

export function traceDecisions(commit: ExecutionCommit): void {
  const tracer = tracerFor('orchestration');
  if (!tracer) return;
  for (const { after, sequence, events } of commit.decisions) {
    if (!isSampled(after.context.traceparent)) continue;
    openSpan(tracer, 'orchestration decide', {
      kind: 'internal',
      context: contextOfExecution(after),
      startAt: commit.at,
      attributes: { 'weft.version': sequence, 'weft.events': events.map((event) => event.type) },
    }).end();
  }
}
