// A place that tools come from while Weft runs: an MCP server, an OpenAPI document, a gRPC server, a worker.
import type { Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import type { OfferedTool, Reconciliation, ToolTerms } from '@weft/tools/core';
import type { Sending, Sent } from '../carry-out/work.js';

/** One call of one tool, its arguments checked, allowed, and its dispatch recorded where it is a write. */
export interface SourceCall {
  /** Its `idempotencyKey`, context and deadline go along in the way of the transport. */
  readonly job: Job;
  /** The definition that was accepted. */
  readonly tool: OfferedTool;
  readonly terms: ToolTerms;
  readonly args: Json;
  readonly sending: Sending;
}

/**
 * Tools that are found out about. The registry asks for the list, pins every definition and lets only accepted ones be called;
 * a source knows nothing of pins, permissions or the ledger.
 */
export interface ToolSource {
  readonly name: string;
  /** Kind and address: what makes it this source and no other. Part of every pin, so it holds no secret. */
  readonly identity: Json;
  /** All tools as they are offered now, asked anew each time. @throws SourceUnavailable */
  list(signal: AbortSignal): Promise<readonly OfferedTool[]>;
  /** Calls once. Never rejects for what the outside does: `failed` only when it is known that nothing was done, else `unknown`. */
  call(call: SourceCall): Promise<Sent>;
  /** How the source itself tells afterwards whether an effect of this tool happened; undefined: it cannot. It never rejects for what the outside does. */
  reconcileOf?(tool: OfferedTool): ((job: Job, args: Json, signal: AbortSignal) => Promise<Reconciliation>) | undefined;
  /** Tells when the source has announced that its tools have changed. */
  onChange?(listener: () => void): void;
  /** Ends connections and processes. */
  close(): Promise<void>;
}

/** A source cannot be asked now. */
export class SourceUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceUnavailable';
  }
}
