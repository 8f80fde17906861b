// What the gateway answers, as far as the commands read it.
import type { Json } from '@weft/kernel';

export interface RouteShape {
  readonly rule: string;
  readonly tableVersion: string;
  readonly workflow: string;
  readonly reasons: readonly string[];
  readonly rejected: readonly { readonly kind: string; readonly name: string; readonly reason: string }[];
  readonly models: readonly { readonly id: string; readonly reason: string; readonly simulated: boolean }[];
}

export interface ExecutionShape {
  readonly executionId: string;
  readonly status: string;
  readonly requestId?: string;
  readonly workflow?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly error?: Json;
  readonly traceId?: string;
  readonly waits?: readonly { readonly id: string; readonly kind: string; readonly subject: string; readonly dueAt?: string }[];
}

export interface TimelineEntryShape {
  readonly version: number;
  readonly at: string;
  readonly type: string;
  readonly task: string;
  readonly pointer: string;
  readonly text: string;
  readonly detail: Json;
}

export interface TimelineShape {
  readonly executionId: string;
  readonly status: string;
  readonly version: number;
  readonly entries: readonly TimelineEntryShape[];
}

export interface ReviewShape {
  readonly reviewId: string;
  readonly executionId: string;
  readonly kind: string;
  readonly title: string;
  readonly subject: Json;
  readonly status: string;
  readonly openedAt: string;
}

export interface AcceptedShape {
  readonly executionId: string;
  readonly requestId: string;
  readonly status: string;
  readonly duplicate?: boolean;
  readonly output?: Json;
  readonly error?: Json;
}
