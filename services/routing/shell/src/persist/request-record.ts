// A request as it is stored: structure that is kept for ever, apart from the payload that may be erased.
import type { Context, Selection } from '@weft/contracts';
import { bucketOf, type Instant, type Rejection } from '@weft/kernel';
import { memberDigest, payloadDigest } from '@weft/proof';

/** What was decided about a request. */
export type RequestVerdict = { readonly status: 'accepted'; readonly selection: Selection } | { readonly status: 'refused'; readonly refusal: Rejection };

/** A request that was decided and is to be stored. */
export interface DecidedRequest {
  readonly tenant: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Names the execution; a refused request has one too, which never starts. */
  readonly executionId: string;
  readonly verdict: RequestVerdict;
  /** The context of its execution. */
  readonly context: Context;
  readonly dataJson: string;
  readonly acceptedAt: Instant;
}

/** A request that is stored. `dataJson` is null once it was erased. */
export interface StoredRequest extends Omit<DecidedRequest, 'dataJson'> {
  readonly dataJson: string | null;
  readonly payloadSalt: Uint8Array;
  readonly payloadDigest: Uint8Array;
}

/** A row of routing.requests as queries return it. */
export interface RequestRow {
  readonly tenant: string;
  readonly source: string;
  readonly request_id: string;
  readonly request_type: string;
  readonly execution_id: string;
  readonly accepted_ms: number;
  readonly structure: string;
  readonly payload: string | null;
  readonly payload_salt: Buffer;
  readonly payload_digest: Buffer;
}

type Structure = Pick<DecidedRequest, 'subject' | 'verdict' | 'context'>;

/** The structure's text: what the member digest covers besides the payload's digest. */
export function structureOf({ subject, verdict, context }: DecidedRequest): string {
  return JSON.stringify({ subject, verdict, context } satisfies Structure);
}

export function requestOfRow(row: RequestRow): StoredRequest {
  const structure = JSON.parse(row.structure) as Structure;
  return {
    tenant: row.tenant,
    source: row.source,
    id: row.request_id,
    type: row.request_type,
    executionId: row.execution_id,
    acceptedAt: row.accepted_ms,
    dataJson: row.payload,
    payloadSalt: row.payload_salt,
    payloadDigest: row.payload_digest,
    ...structure,
  };
}

/** Whether a request that carries a stored one's name is that very request. Answered from digests, so also after an erasure. */
export function isSameRequest(stored: StoredRequest, request: { readonly type: string; readonly dataJson: string }): boolean {
  return stored.type === request.type && payloadDigest(stored.payloadSalt, request.dataJson).equals(stored.payloadDigest);
}

/** What the commit row, and through it the log, holds of a request: the one decision about the subject `request/<execution id>`. */
export function requestDigest({ tenant, executionId, acceptedAt }: Pick<DecidedRequest, 'tenant' | 'executionId' | 'acceptedAt'>, structure: string, payload: Uint8Array): Buffer {
  return memberDigest({ subject: `request/${executionId}`, sequence: 0, tenant, at: acceptedAt, structure, payloadDigest: payload });
}

export const bucketOfRequest = ({ executionId }: DecidedRequest): number => bucketOf(executionId);
