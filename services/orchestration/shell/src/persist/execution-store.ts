// The HistoryStore of executions: history, commit row and everything that hangs on them in ONE named statement.
import { byteaArray, commitStatement, execute, intArray, smallintArray, textArray, uuidArray, type Pool } from '@weft/adapter-postgres';
import { bucketOf } from '@weft/kernel';
import { announcementsOf, decodeEvents, effectsBetween, encodeEvents, isEnded, type ExecutionEvent, type ExecutionState, type SearchAttribute } from '@weft/orchestration/core';
import { failpoint, type Commit, type Decided, type HistoryStore, type StoredHistory } from '@weft/pipeline';
import { memberDigest, payloadDigest } from '@weft/proof';
import { isSampled } from '@weft/telemetry';
import { COMMIT } from './commit-statement.js';
import type { PublishedCommits } from './published-commits.js';
import { drawSalt, SALT_BYTES } from './salts.js';
import { STATE_FORM } from './snapshot-store.js';

type ExecutionDecided = Decided<ExecutionState, ExecutionEvent, never>;
export type ExecutionCommit = Commit<ExecutionState, ExecutionEvent, never>;
export type ExecutionStore = HistoryStore<ExecutionState, ExecutionEvent, never>;

// A snapshot comes before the rows that are younger than it, and stands in for the older ones.
const LOAD_SQL = `
select execution_id, version as sequence, state as structure, null as payload, true as "isSnapshot" from orchestration.snapshots where execution_id = any($1::uuid[]) and form = $2
union all
select h.execution_id, h.sequence, h.structure, h.payload, false from orchestration.history h
left join orchestration.snapshots s on s.execution_id = h.execution_id and s.form = $2
where h.execution_id = any($1::uuid[]) and h.sequence > coalesce(s.version, -1)
order by execution_id, sequence`;
const DIGEST_BYTES = 32;

interface StoredRow {
  readonly execution_id: string;
  readonly sequence: number;
  readonly structure: string;
  readonly payload: string | null;
  readonly isSnapshot: boolean;
}

const OUTCOME_SQL = `select members from orchestration.commits where id = $1`;

/** What an execution that starts is found by. */
export type AttributesOf = (state: ExecutionState, now: number) => readonly SearchAttribute[];

const NO_ATTRIBUTES: AttributesOf = () => [];

/**
 * @param pool of the engine role. @param published tells which earlier commits may be marked along the way.
 * @param attributesOf of executions that start. Default: none.
 */
export function executionStore(pool: Pool, published: PublishedCommits, attributesOf: AttributesOf = NO_ATTRIBUTES): ExecutionStore {
  return {
    async load(keys) {
      const rows = await execute<StoredRow>(pool, { name: 'orchestration-load-2', text: LOAD_SQL, values: [keys, STATE_FORM] });
      const histories = new Map<string, { version: number; snapshot?: ExecutionState; events: ExecutionEvent[]; unreadable?: unknown }>();
      for (const row of rows) {
        const history = histories.get(row.execution_id) ?? { version: -1, events: [] };
        history.version = row.sequence;
        try {
          if (row.isSnapshot) history.snapshot = JSON.parse(row.structure) as ExecutionState;
          else history.events.push(...decodeEvents(row, row.execution_id));
        } catch (fault) {
          history.unreadable ??= fault;
        }
        histories.set(row.execution_id, history);
      }
      return histories as ReadonlyMap<string, StoredHistory<ExecutionEvent, ExecutionState>>;
    },

    async commit(commit) {
      const { decisions, life, waiting, attributes } = valuesOf(commit, attributesOf);
      failpoint('orchestration.commit', 'before');
      const isFound = attributes.length > 0;
      const isWaiting = isFound || waiting.some((entries) => entries.length > 0);
      if (!isWaiting && life.every((entries) => entries.length === 0)) {
        const rows = await commitStatement<{ execution_id: string }>(pool, commit.id, { ...COMMIT.decisions, values: decisions });
        failpoint('orchestration.commit', 'after');
        return new Set(rows.map((row) => row.execution_id));
      }
      const marked = published.take();
      try {
        const values = [
          ...decisions,
          ...life.map((entries) => JSON.stringify(entries)),
          marked,
          ...(isWaiting ? waiting.map((entries) => JSON.stringify(entries)) : []),
          ...(isFound ? [JSON.stringify(attributes)] : []),
        ];
        const rows = await commitStatement<{ execution_id: string }>(pool, commit.id, { ...(isFound ? COMMIT.foundBy : isWaiting ? COMMIT.waiting : COMMIT.life), values });
        failpoint('orchestration.commit', 'after');
        return new Set(rows.map((row) => row.execution_id));
      } catch (fault) {
        published.giveBack(marked);
        throw fault;
      }
    },

    async outcomeOf(commitId) {
      const [row] = await execute<{ members: string }>(pool, { name: 'orchestration-outcome-1', text: OUTCOME_SQL, values: [commitId] });
      return row ? new Set((JSON.parse(row.members) as [string, number][]).map(([execution]) => execution)) : undefined;
    },
  };
}

/** Values of the statement: those of the decisions, and what they write besides history. */
function valuesOf(
  commit: ExecutionCommit,
  attributesOf: AttributesOf,
): {
  readonly decisions: readonly unknown[];
  readonly life: readonly (readonly object[])[];
  readonly waiting: readonly (readonly object[])[];
  readonly attributes: readonly object[];
} {
  // Sorted, so that two batches never lock rows in opposite orders.
  const decisions = [...commit.decisions].sort((left, right) => (left.key < right.key ? -1 : 1));
  const rows = decisions.map((decided) => historyRow(commit.at, decided));
  const aside = { starts: [] as object[], ends: [] as object[], waits: [] as object[], waitsOver: [] as object[], reviews: [] as object[], reviewsClosed: [] as object[] };
  const attributes: object[] = [];
  for (const decided of decisions) {
    addAside(aside, decided);
    if (decided.before.status === 'none') addAttributes(attributes, decided, attributesOf(decided.after, commit.at));
  }
  const tenants = decisions.map((decided) => decided.after.context.tenant);
  const values = [
    commit.id,
    new Date(commit.at),
    uuidArray(decisions.map((decided) => decided.key)),
    intArray(decisions.map((decided) => decided.sequence)),
    textArray(tenants),
    smallintArray(decisions.map((decided) => bucketOf(decided.key))),
    textArray(rows.map((row) => row.structure)),
    textArray(rows.map((row) => row.payload)),
    byteaArray(
      rows.map((row) => row.salt),
      SALT_BYTES,
    ),
    byteaArray(
      rows.map((row) => row.payloadDigest),
      DIGEST_BYTES,
    ),
    decisions.length,
    JSON.stringify(decisions.map((decided) => [decided.key, decided.sequence])),
    Buffer.concat(rows.map((row) => row.digest)),
    [...new Set(tenants)].sort(),
    decisions.some((decided) => announcementsOf(decided.after, decided.sequence, decided.events).length > 0),
    decisions.map((decided) => decided.after.context.traceparent).filter(isSampled),
  ];
  return { decisions: values, life: [aside.starts, aside.ends], waiting: [aside.waits, aside.waitsOver, aside.reviews, aside.reviewsClosed], attributes };
}

function historyRow(at: number, decided: ExecutionDecided): { structure: string; payload: string; salt: Uint8Array; payloadDigest: Buffer; digest: Buffer } {
  const { structure, payload } = encodeEvents(decided.events, decided.key);
  const salt = drawSalt();
  const digest = payloadDigest(salt, payload);
  const tenant = decided.after.context.tenant;
  return { structure, payload, salt, payloadDigest: digest, digest: memberDigest({ subject: decided.key, sequence: decided.sequence, tenant, at, structure, payloadDigest: digest }) };
}

function addAttributes(rows: object[], { key, after }: ExecutionDecided, attributes: readonly SearchAttribute[]): void {
  for (const [name, value] of attributes) rows.push({ tenant: after.context.tenant, execution_id: key, bucket: bucketOf(key), name, value });
}

function addAside(aside: { starts: object[]; ends: object[]; waits: object[]; waitsOver: object[]; reviews: object[]; reviewsClosed: object[] }, decided: ExecutionDecided): void {
  const { key: id, before, after } = decided;
  const tenant = after.context.tenant;
  const bucket = bucketOf(id);
  if (before.status === 'none') {
    const { definition, request, context } = after;
    const name = `${definition.namespace}/${definition.name}:${definition.version}`;
    // A workflow without a job ends in the decision that starts it: one row then, already ended.
    aside.starts.push({
      tenant,
      id,
      bucket,
      status: after.status,
      ended_sequence: isEnded(after) ? decided.sequence : null,
      definition: name,
      digest: definition.digest,
      request_source: request.source,
      request_id: request.id,
      request_type: request.type,
      trace_id: context.traceparent.split('-')[1] ?? '',
    });
  } else if (after.status !== before.status) aside.ends.push({ tenant, id, status: after.status, sequence: isEnded(after) ? decided.sequence : null });
  const effects = effectsBetween(before, after);
  for (const wait of effects.park) {
    aside.waits.push({
      tenant,
      execution_id: id,
      id: wait.id,
      bucket,
      kind: wait.kind,
      subject: wait.subject,
      due_at: wait.due === undefined ? null : new Date(wait.due),
      correlation: wait.correlation ?? null,
    });
  }
  for (const wait of effects.unpark) aside.waitsOver.push({ tenant, execution_id: id, id: wait });
  for (const review of effects.openReviews) {
    aside.reviews.push({ tenant, id: review.id, execution_id: id, bucket, kind: review.kind, title: JSON.stringify(review.title), subject: JSON.stringify(review.subject) });
  }
  for (const review of effects.closeReviews) {
    const decision = decided.events.find((event) => event.type === 'ReviewDecided' && event.review === review);
    const answer = decision?.type === 'ReviewDecided' ? decision : undefined;
    const comment = (answer?.answer as { comment?: string } | undefined)?.comment ?? null;
    aside.reviewsClosed.push({ tenant, id: review, execution_id: id, status: answer?.outcome ?? 'withdrawn', decided_by: answer?.decidedBy ?? null, comment });
  }
}
