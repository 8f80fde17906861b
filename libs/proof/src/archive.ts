// An archive of executions: a file of JSON lines from which anybody can verify what it holds, without a store and without Weft.
import { isJsonObject, rejection, type Instant, type Json, type Rejection } from '@weft/kernel';
import type { Outcome } from '@weft/tlog';
import type { DecisionProof } from './decision-proof.js';

/** Version of the lines. A reader refuses a later one. */
export const ARCHIVE_VERSION = 1;

/** The first line. */
export interface ArchiveHead {
  readonly type: 'archive';
  readonly version: number;
  readonly createdAt: string;
  /** What ended before this instant. */
  readonly before: string;
  /** Public key of the audit log as the archiver knew it; '' when it did not. */
  readonly verifierKey: string;
}

/** A definition that executions of the archive are pinned to. */
export interface ArchivedDefinition {
  readonly type: 'definition';
  readonly tenant: string;
  readonly digest: string;
  /** The document as it was stored; its SHA-256 is the digest. */
  readonly document: string;
}

/** A decision with everything that its digest covers. Bytes are base64. */
export interface ArchivedMember {
  readonly sequence: number;
  readonly tenant: string;
  readonly recordedAtMs: Instant;
  readonly structure: string;
  /** Null once erased. */
  readonly payload: string | null;
  readonly payloadSalt: string;
  readonly payloadDigest: string;
  readonly commitId: string;
}

export interface ArchivedProof {
  readonly sequence: number;
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly proof: DecisionProof;
}

/** An execution, its history and a proof for each decision of it. */
export interface ArchivedExecution {
  readonly type: 'execution';
  readonly executionId: string;
  readonly tenant: string;
  readonly status: string;
  readonly definition: string;
  readonly digest: string;
  readonly request: { readonly source: string; readonly id: string; readonly type: string };
  readonly traceId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly members: readonly ArchivedMember[];
  readonly proofs: readonly ArchivedProof[];
}

/** The last line: without it the file is cut off. */
export interface ArchiveEnd {
  readonly type: 'end';
  readonly executions: number;
}

export type ArchiveLine = ArchiveHead | ArchivedDefinition | ArchivedExecution | ArchiveEnd;

export const encodeArchiveLine = (line: ArchiveLine): string => `${JSON.stringify(line)}\n`;

/** Reads a line. Rejection `archive-invalid`. */
export function parseArchiveLine(text: string): Outcome<{ readonly line: ArchiveLine }> {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { ok: false, rejection: archiveInvalid('a line of JSON but it is none') };
  }
  const type = isJsonObject(value) ? value['type'] : undefined;
  if (type === 'archive') {
    const { version } = value as unknown as ArchiveHead;
    return version === ARCHIVE_VERSION
      ? { ok: true, line: value as unknown as ArchiveLine }
      : { ok: false, rejection: archiveInvalid(`version ${ARCHIVE_VERSION} but it is ${JSON.stringify(version)}`) };
  }
  if (type === 'definition' || type === 'end') return { ok: true, line: value as unknown as ArchiveLine };
  if (type === 'execution' && isExecution(value as unknown as ArchivedExecution)) return { ok: true, line: value as unknown as ArchiveLine };
  return { ok: false, rejection: archiveInvalid('a line of type archive, definition, execution or end but found something else') };
}

/** Rejection of what is no archive. @param expectation goes on after "Expected an archive with". */
export const archiveInvalid = (expectation: string): Rejection => rejection('archive-invalid', `Expected an archive with ${expectation}.`);

const isExecution = ({ executionId, members, proofs }: ArchivedExecution): boolean =>
  typeof executionId === 'string' && isObjects(members) && isObjects(proofs) && members.every((member) => typeof member.structure === 'string' && typeof member.payloadDigest === 'string');

const isObjects = (list: unknown): boolean => Array.isArray(list) && list.every((each) => typeof each === 'object' && each !== null);
