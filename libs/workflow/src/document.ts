// Open Workflow Specification 1.0.3: the documents this engine carries out, as types.
import type { Json, JsonObject } from '@weft/kernel';

export interface DocumentHead {
  readonly dsl: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly summary?: string;
  readonly tags?: JsonObject;
  readonly metadata?: JsonObject;
}

export type Duration = string | { readonly days?: number; readonly hours?: number; readonly minutes?: number; readonly seconds?: number; readonly milliseconds?: number };

export interface TaskCommon {
  readonly if?: string;
  readonly input?: { readonly from?: string | JsonObject };
  readonly output?: { readonly as?: string | JsonObject };
  readonly export?: { readonly as?: string | JsonObject };
  readonly then?: string;
  readonly metadata?: JsonObject;
}

export interface ErrorDefinition {
  readonly type: string;
  readonly status: number;
  readonly title?: string;
  readonly detail?: string;
}

export interface RetryPolicyDefinition {
  readonly when?: string;
  readonly exceptWhen?: string;
  readonly delay?: Duration;
  readonly backoff?: { readonly constant?: JsonObject; readonly linear?: JsonObject; readonly exponential?: JsonObject };
  readonly limit?: { readonly attempt?: { readonly count?: number } };
  readonly jitter?: { readonly from: Duration; readonly to: Duration };
}

export type TaskDefinition = TaskCommon &
  (
    | { readonly do: TaskList }
    | { readonly set: JsonObject | string }
    | { readonly switch: readonly Readonly<Record<string, { readonly when?: string; readonly then: string }>>[] }
    | { readonly call: string; readonly with?: JsonObject }
    | { readonly try: TaskList; readonly catch: { readonly errors?: { readonly with?: JsonObject }; readonly as?: string; readonly when?: string; readonly exceptWhen?: string; readonly retry?: string | RetryPolicyDefinition; readonly do?: TaskList } }
    | { readonly wait: Duration }
    | { readonly emit: { readonly event: { readonly with: JsonObject } } }
    | { readonly raise: { readonly error: string | ErrorDefinition } }
  );

export type TaskList = readonly Readonly<Record<string, TaskDefinition>>[];

/** A document that was checked: publish lets nothing else through. */
export interface Workflow {
  readonly document: DocumentHead;
  readonly input?: { readonly schema?: { readonly format?: string; readonly document?: Json }; readonly from?: string | JsonObject };
  readonly output?: { readonly as?: string | JsonObject };
  readonly use?: { readonly errors?: Readonly<Record<string, ErrorDefinition>>; readonly retries?: Readonly<Record<string, RetryPolicyDefinition>> };
  readonly do: TaskList;
}
