// What the gateway answers, as far as the commands read it.
import type { Json } from '@weft/kernel';

export interface DefinitionShape {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** Why a request went where it went: what was chosen and what was not. */
export interface RouteShape {
  readonly rule: string;
  readonly tableVersion: string;
  readonly workflow: DefinitionShape | null;
  readonly reasons: readonly string[];
  readonly rejected: readonly { readonly kind: string; readonly name: string; readonly reason: string }[];
  readonly models: readonly { readonly id: string; readonly model: string; readonly reason: string; readonly simulated: boolean }[];
}

export interface ExecutionShape {
  readonly executionId: string;
  /** accepted, running, waiting, suspended, completed, faulted or cancelled. */
  readonly status: string;
  readonly requestId?: string;
  readonly requestSource?: string;
  readonly requestType?: string;
  /** What it is found by. */
  readonly attributes?: readonly { readonly name: string; readonly value: string }[];
  readonly workflow: DefinitionShape | null;
  readonly startedAt?: string | null;
  readonly endedAt?: string | null;
  readonly version?: number;
  readonly traceId?: string;
  readonly waits?: readonly { readonly id: string; readonly kind: string; readonly subject: string; readonly dueAt: string | null }[];
  /** The execution that this one was forked from. */
  readonly forkedFrom?: string;
  /** The execution whose task started it, and the one at the top. */
  readonly parent?: string;
  readonly root?: string;
  /** How many executions its tasks have started. */
  readonly children?: number;
  readonly input?: Json;
  readonly output?: Json;
  readonly error?: Json;
}

/** What became of an operation. */
export interface OperatedShape {
  readonly operation: string;
  readonly operationId: string;
  /** False: it was so already. */
  readonly changed: boolean;
  readonly execution: ExecutionShape;
  /** What can be done with it now. */
  readonly possible: readonly string[];
  /** Of fork and reset: the execution that began. */
  readonly newExecutionId?: string;
}

export interface TimelineEntryShape {
  readonly version: number;
  /** RFC 3339. */
  readonly at: string;
  /** Name of the recorded event. */
  readonly type: string;
  readonly task: string;
  readonly pointer: string;
  /** Of an agent: which turn or call. */
  readonly part?: string;
  readonly text: string;
  readonly detail?: Json;
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
  readonly workflow: string;
  readonly requestedBy: string;
  /** approval, effect-outcome or action. */
  readonly kind: string;
  readonly title: string;
  readonly status: string;
  readonly openedAt: string | null;
  readonly dueAt: string | null;
  readonly expiresAt: string | null;
  readonly closedAt: string | null;
  /** Who may decide; empty = anyone of the tenant. */
  readonly assignees: readonly string[];
  readonly approvalsNeeded: number;
  readonly approvedBy: readonly string[];
  readonly claim: { readonly by: string; readonly until: string | null } | null;
  /** Of an action: what exactly is approved. */
  readonly digest?: string;
  readonly decidedBy: string;
  readonly comment: string;
  readonly subject?: Json;
  /** JSON Schema of the form that an approval fills in. */
  readonly form?: Json;
}

export interface ReviewDetailShape extends ReviewShape {
  readonly history: readonly ReviewEntryShape[];
}

export interface ReviewEntryShape {
  readonly at: string | null;
  readonly what: string;
  readonly by?: string;
  readonly to?: readonly string[];
  readonly until?: string | null;
  readonly text?: string;
  readonly form?: Json;
}

/** The receipt of a request; with `output` or `error` when its end was waited for. */
export interface AcceptedShape {
  readonly executionId: string;
  readonly requestId: string;
  readonly status: string;
  readonly duplicate: boolean;
  readonly traceId: string;
  readonly route: RouteShape | null;
  readonly output?: Json;
  readonly error?: Json;
}

export interface DeployedShape extends DefinitionShape {
  readonly title: string;
  readonly createdAt: string | null;
  /** False: the very same document, with the same resources, was there already. */
  readonly created: boolean;
  /** External resources as they were when it was published. */
  readonly resources: readonly LockedResourceShape[];
}

export interface LockedResourceShape {
  readonly uri: string;
  /** What it is for, such as `schema` or `openapi`. */
  readonly kind: string;
  /** SHA-256 of its content, in hex. */
  readonly digest: string;
  readonly mediaType: string;
}

export interface CheckpointShape {
  readonly size: number;
  /** The signed note. */
  readonly note: string;
  readonly verifierKey: string;
}

export interface ProofsShape {
  readonly executionId: string;
  readonly proofs: readonly { readonly sequence: number; readonly leafIndex: number; readonly treeSize: number; readonly proof: unknown }[];
  readonly checkpoint: CheckpointShape | null;
  /** Decisions that are not in the log yet. */
  readonly pending: number;
}

/** A decision with everything that its digest covers. Bytes are base64. */
export interface MemberShape {
  readonly sequence: number;
  readonly tenant: string;
  readonly recordedAtMs: number;
  readonly structure: string;
  readonly payload: string;
  readonly payloadErased?: boolean;
  readonly payloadSalt: string;
  readonly payloadDigest: string;
}

export const isEnded = (status: string): boolean => status === 'completed' || status === 'faulted' || status === 'cancelled';
