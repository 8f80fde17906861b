// One span a recorded trace: the others cost nothing here.
import { contextOf } from '@weft/contracts';
import type { Instant } from '@weft/kernel';
import { tracerFor } from '@weft/nest-platform';
import { isSampled, openSpan, SPAN } from '@weft/telemetry';
import type { EncodedLeaf } from '../persist/log-store.js';

/** Shows in each trace that its decisions went into the log. @param first index of the first leaf. */
export function traceAppend(leaves: readonly EncodedLeaf[], first: number, startedAt: Instant): void {
  const tracer = tracerFor('audit');
  if (!tracer) return;
  for (const [n, { traceparents }] of leaves.entries()) {
    for (const traceparent of new Set(traceparents)) {
      if (isSampled(traceparent)) openSpan(tracer, SPAN.sequence, { context: contextOf({ tenant: '', traceparent }), startAt: startedAt, attributes: { 'weft.audit.leaf': first + n } }).end();
    }
  }
}
