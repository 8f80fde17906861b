// Verdicts in PostgreSQL: a batch is one named statement.
import { commitStatement, type Pool } from '@weft/adapter-postgres';
import { bucketOf, uuidv7, type Instant } from '@weft/kernel';
import { memberDigest, payloadDigest } from '@weft/proof';
import type { Verdict } from '@weft/validation/core';
import { randomBytes } from 'node:crypto';
import { RECORD_SQL, RECORD_STATEMENT } from './verdict-statement.js';

/** A verdict and whose output it is about. */
export interface NewVerdict {
  readonly tenant: string;
  /** The idempotency key of the job that asked. */
  readonly id: string;
  /** '' when no execution asked. */
  readonly executionId: string;
  readonly pointer: string;
  readonly workflow: string;
  readonly verdict: Verdict;
}

export class VerdictStore {
  /** @param pool of the engine role. */
  constructor(private readonly pool: Pool) {}

  /**
   * Records verdicts of different ids with their commit row. An id that is taken keeps its verdict: recording again is safe.
   * @param traceparents of the recorded traces that the verdicts belong to.
   * @throws CommitUnknown when nobody knows whether it was done; Fault otherwise.
   */
  async record(verdicts: readonly NewVerdict[], now: Instant, traceparents: readonly string[]): Promise<void> {
    const commitId = uuidv7(now, randomBytes(10));
    await commitStatement(this.pool, commitId, { name: RECORD_STATEMENT, text: RECORD_SQL, values: recordValues(verdicts, commitId, now, traceparents) });
  }
}

function recordValues(verdicts: readonly NewVerdict[], commitId: string, now: Instant, traceparents: readonly string[]): unknown[] {
  // Sorted, so that two batches never wait for each other's rows in opposite orders.
  const sorted = [...verdicts].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  const salts = randomBytes(sorted.length * 16);
  const rows = sorted.map(({ tenant, id, executionId, pointer, workflow, verdict }, index) => {
    const structure = JSON.stringify({ verdict: verdict.verdict, schemaDigest: verdict.schemaDigest, policy: verdict.policy, executionId, pointer, workflow });
    const evidence = JSON.stringify(verdict.evidence);
    const digest = payloadDigest(salts.subarray(index * 16, index * 16 + 16), evidence);
    return { structure, evidence, digest, member: memberDigest({ subject: id, sequence: 0, tenant, at: now, structure, payloadDigest: digest }) };
  });
  return [
    commitId,
    new Date(now),
    sorted.map(({ tenant }) => tenant),
    sorted.map(({ id }) => id),
    sorted.map(({ executionId }) => executionId || null),
    sorted.map(({ executionId }) => bucketOf(executionId)),
    sorted.map(({ verdict }) => verdict.verdict),
    sorted.map(({ verdict }) => verdict.schemaDigest),
    sorted.map(({ verdict }) => verdict.policy),
    rows.map(({ structure }) => structure),
    rows.map(({ evidence }) => evidence),
    salts,
    Buffer.concat(rows.map(({ digest }) => digest)),
    Buffer.concat(rows.map(({ member }) => member)),
    traceparents,
  ];
}

/** What a verdict is known by. */
export const nameOf = ({ tenant, id }: Pick<NewVerdict, 'tenant' | 'id'>): string => `${tenant}\n${id}`;
