// Lifecycle events of the standard: which event of a history is told of as which, with which data.
import { isJsonObject, type Instant, type Json, type JsonObject } from '@weft/kernel';
import type { ExecutionEvent } from './execution.events.js';

/** What the standard says of an event. Source: Open Workflow Specification 1.0.3, dsl-reference.md, "Lifecycle Events". */
export interface LifecycleData {
  /** Name of the field that says when, and the instant where it is not that of the decision. */
  readonly when: string;
  readonly at?: Instant;
  readonly fields?: JsonObject;
  /** Of an execution that completed. */
  readonly output?: Json;
}

export interface Lifecycle {
  readonly type: string;
  /** What Weft says besides: who asked for it, and why. */
  readonly data?: Json;
  readonly standard: LifecycleData;
}

const WORKFLOW = 'io.serverlessworkflow.workflow';

/** How an event of a history is told of; none of most. */
export function lifecycleOf(event: ExecutionEvent): readonly Lifecycle[] {
  switch (event.type) {
    case 'ExecutionStarted': {
      const { namespace, name, version } = event.definition;
      return [{ type: `${WORKFLOW}.started.v1`, standard: { when: 'startedAt', at: event.at, fields: { definition: { namespace, name, version } } } }];
    }
    case 'ExecutionCompleted':
      return [{ type: `${WORKFLOW}.completed.v1`, standard: { when: 'completedAt', at: event.at, output: event.output } }];
    case 'ExecutionFaulted':
      return [{ type: `${WORKFLOW}.faulted.v1`, standard: { when: 'faultedAt', at: event.at, fields: { error: event.error } } }];
    case 'ExecutionCancelled':
      return [{ type: `${WORKFLOW}.cancelled.v1`, data: { by: event.by, terminated: false }, standard: { when: 'cancelledAt', at: event.at } }];
    case 'ExecutionTerminated':
      return [{ type: `${WORKFLOW}.cancelled.v1`, data: { ...operatedData(event), terminated: true }, standard: { when: 'cancelledAt', at: event.at } }];
    case 'ExecutionSuspended':
      return [{ type: `${WORKFLOW}.suspended.v1`, data: operatedData(event), standard: { when: 'suspendedAt', at: event.at } }];
    case 'ExecutionResumed':
      return [{ type: `${WORKFLOW}.resumed.v1`, data: operatedData(event), standard: { when: 'resumedAt', at: event.at } }];
    case 'ListenOpened':
      return event.correlates ? [correlationStarted(event.at)] : [];
    case 'SignalTaken':
      return event.use !== undefined || event.keys === undefined ? [] : [...(event.kept ? [correlationStarted()] : []), correlationCompleted(event.keys)];
    case 'ListenClosed':
      return event.keys === undefined ? [] : [correlationCompleted(event.keys)];
    default:
      return [];
  }
}

/** Who asked for an operation, and why. */
export const operatedData = ({ by, reason }: { readonly by: string; readonly reason?: string }): JsonObject => ({ by, ...(reason === undefined ? {} : { reason }) });

const correlationStarted = (at?: Instant): Lifecycle => ({ type: `${WORKFLOW}.correlation-started.v1`, standard: { when: 'startedAt', ...(at === undefined ? {} : { at }) } });

const correlationCompleted = (keys: Json): Lifecycle => ({
  type: `${WORKFLOW}.correlation-completed.v1`,
  standard: { when: 'completedAt', fields: isJsonObject(keys) && Object.keys(keys).length > 0 ? { correlationKeys: keys } : {} },
});
