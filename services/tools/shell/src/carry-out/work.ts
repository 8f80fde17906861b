// One job made ready: what the ledger records, and how it is sent. Who carries it out knows no transport, who sends it knows no ledger.
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass, EffectOutcome, Reconciliation } from '@weft/tools/core';
import type { Gate } from './gate.js';

/** An answer read for the task. `unusable`: it happened, but its answer cannot be used. */
export interface ReadAnswer {
  readonly output: Json;
  readonly unusable?: Failure;
}

/** What one sending is bounded by and belongs to. */
export interface Sending {
  /** Monotonic instant (`performance.now()`) after which nothing may be on its way; it began before the dispatch was recorded. */
  readonly untilMs: number;
  /** W3C trace context of this sending; empty: that of the job. */
  readonly traceparent: string;
  /** Aborted when a kill switch stops what only reads. */
  readonly signal?: AbortSignal;
  /** Aborted when a kill switch stops what changes something: what has not left yet must not leave, what has left is waited for all the same. */
  readonly halted?: AbortSignal;
}

/** What one sending came to. An outcome `confirmed` has an answer. */
export interface Sent {
  readonly outcome: EffectOutcome;
  readonly answer?: ReadAnswer;
  /** What the transport tells besides, as the status of HTTP. */
  readonly evidence?: JsonObject;
}

/** What comes of a sending that never left. */
export const notMade = (failure: Failure): Sent => ({ outcome: { kind: 'failed', failure } });

/** Why nothing was sent: there was no time left for it. */
export const PAST_DEADLINE: Failure = rejection('timeout', 'Expected to send before the deadline but it has passed.', { retryable: true });

/** What a sending meets that a kill switch stops before it leaves. */
export const STOPPED: Failure = rejection('timeout', 'Expected to send but it was stopped before anything left.', { retryable: true });

/** One job, ready to be sent over whatever its tool is reached by. */
export interface Work {
  readonly job: Job;
  /** For the ledger, evidence and spans: the tool, or `call:http`. */
  readonly name: string;
  readonly effect: EffectClass;
  /** From the dispatch to the moment after which the attempt is over, milliseconds. */
  readonly timeoutMs: number;
  /** What is asked for, as the ledger keeps it: without secrets. */
  readonly request: Json;
  /** Attributes of its span besides the tool. */
  readonly attributes: { readonly [name: string]: string };
  /** Labels of what the output is made of. */
  readonly taint: readonly string[];
  /** What let it happen, as its evidence tells it. */
  readonly permit?: JsonObject;
  /** Why nothing more may be sent for it, although it may have been sent before: the ledger alone answers. */
  readonly barred?: Failure;
  /** Bounds the calls of this tool on their way at once, besides what bounds all. */
  readonly gate?: Gate | undefined;
  /** Bounds it instead of what bounds all: of what mostly waits, and must not keep others waiting. */
  readonly waitingGate?: Gate;
  /** Sends once, with the job's idempotency key in the way of the transport. Never rejects for what the outside does: that is an outcome. */
  send(sending: Sending): Promise<Sent>;
  /** Asks whether the effect happened; only tools that declare a hook have it. Never rejects for what the outside does. */
  reconcile?(signal: AbortSignal): Promise<Reconciliation>;
}

/** A work, or why there is none: nothing was sent. */
export type WorkMaking = { readonly ok: true; readonly work: Work } | { readonly ok: false; readonly failure: Failure };
