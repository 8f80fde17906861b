// What the one statement of a batch is given: history rows as lists or columns, and rows of what hangs on them as JSON.
import { byteaArray, intArray, smallintArray, textArray, uuidArray } from '@weft/adapter-postgres';
import { bucketOf } from '@weft/kernel';
import { announcementsOf, assigneesOf, effectsBetween, encodeEvents, isEnded, subscriptionsBetween, taskAnnouncements, type OpenReview, type SearchAttribute } from '@weft/orchestration/core';
import { memberDigest, payloadDigest } from '@weft/proof';
import { isSampled } from '@weft/telemetry';
import type { AttributesOf, ExecutionCommit } from './execution-store.js';
import { drawBytes, SALT_BYTES } from './random-pool.js';

type ExecutionDecided = ExecutionCommit['decisions'][number];

const DIGEST_BYTES = 32;

/** Values of the statement, by its parts: those of the decisions, and what they write besides history. */
export function commitValues(
  commit: ExecutionCommit,
  attributesOf: AttributesOf,
  tellsTasks = false,
): {
  readonly decisions: readonly unknown[];
  readonly life: readonly (readonly object[])[];
  readonly waiting: readonly (readonly object[])[];
  readonly attributes: readonly object[];
  /** New ones, and executions that have none any more. */
  readonly subscriptions: readonly (readonly object[])[];
} {
  // Sorted, so that two batches never lock rows in opposite orders.
  const decisions = [...commit.decisions].sort((left, right) => (left.key < right.key ? -1 : 1));
  const rows = decisions.map((decided) => historyRow(commit.at, decided));
  const aside = { starts: [] as object[], ends: [] as object[], waits: [] as object[], waitsOver: [] as object[], reviews: [] as object[], reviewsClosed: [] as object[] };
  const attributes: object[] = [];
  const subscriptions: [object[], object[]] = [[], []];
  for (const decided of decisions) {
    addAside(aside, decided);
    addSubscriptions(subscriptions, decided);
    if (decided.before.status === 'none') addAttributes(attributes, decided, attributesOf(decided.after, commit.at));
  }
  const values = [
    commit.id,
    new Date(commit.at),
    ...(rows.length === 1 ? columnsOf(rows[0]!) : listsOf(rows)),
    rows.length,
    JSON.stringify(rows.map((row) => [row.key, row.sequence])),
    Buffer.concat(rows.map((row) => row.digest)),
    [...new Set(rows.map((row) => row.tenant))].sort(),
    decisions.some((decided) => hasNews(decided, tellsTasks)),
    decisions.map((decided) => decided.after.context.traceparent).filter(isSampled),
  ];
  return { decisions: values, life: [aside.starts, aside.ends], waiting: [aside.waits, aside.waitsOver, aside.reviews, aside.reviewsClosed], attributes, subscriptions };
}

interface HistoryRow {
  readonly key: string;
  readonly sequence: number;
  readonly tenant: string;
  readonly structure: string;
  readonly payload: string;
  readonly salt: Uint8Array;
  readonly payloadDigest: Buffer;
  readonly digest: Buffer;
}

function historyRow(at: number, { key, sequence, events, after }: ExecutionDecided): HistoryRow {
  const { structure, payload } = encodeEvents(events, key);
  const { tenant } = after.context;
  const salt = drawBytes(SALT_BYTES);
  const digest = payloadDigest(salt, payload);
  return { key, sequence, tenant, structure, payload, salt, payloadDigest: digest, digest: memberDigest({ subject: key, sequence, tenant, at, structure, payloadDigest: digest }) };
}

/** $3 to $10 of a lone decision. */
function columnsOf({ key, sequence, tenant, structure, payload, salt, payloadDigest: digest }: HistoryRow): readonly unknown[] {
  return [key, sequence, tenant, bucketOf(key), structure, payload, salt, digest];
}

/** $3 to $10 of many. */
function listsOf(rows: readonly HistoryRow[]): readonly unknown[] {
  return [
    uuidArray(rows.map((row) => row.key)),
    intArray(rows.map((row) => row.sequence)),
    textArray(rows.map((row) => row.tenant)),
    smallintArray(rows.map((row) => bucketOf(row.key))),
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
  ];
}

function addAttributes(rows: object[], { key, after }: ExecutionDecided, attributes: readonly SearchAttribute[]): void {
  for (const [name, value] of attributes) rows.push({ tenant: after.context.tenant, execution_id: key, bucket: bucketOf(key), name, value });
}

const hasNews = ({ key, before, after, sequence, events }: ExecutionDecided, tellsTasks: boolean): boolean =>
  announcementsOf(after, sequence, events, before).length > 0 || (tellsTasks && taskAnnouncements(key, sequence, events, before, after).length > 0);

function addSubscriptions([added, gone]: readonly [object[], object[]], { key, before, after }: ExecutionDecided): void {
  const { subscribe, unsubscribe } = subscriptionsBetween(before, after);
  const { tenant } = after.context;
  for (const correlation of subscribe) added.push({ tenant, execution_id: key, bucket: bucketOf(key), correlation });
  for (const correlation of unsubscribe) gone.push({ tenant, execution_id: key, correlation });
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
      ...(after.parent ? { parent: after.parent.execution, root: after.parent.root } : {}),
    });
  } else if (after.status !== before.status || hasEndedAgain(decided) || after.definition !== before.definition)
    aside.ends.push({ tenant, id, status: after.status, sequence: isEnded(after) ? decided.sequence : null, ...migrationOf(decided) });
  const effects = effectsBetween(before, after);
  for (const wait of effects.park) {
    aside.waits.push({
      tenant,
      execution_id: id,
      id: wait.id,
      bucket,
      kind: wait.kind,
      subject: wait.subject,
      due_at: instantOf(wait.due),
      correlation: wait.correlation ?? null,
    });
  }
  for (const wait of effects.unpark) aside.waitsOver.push({ tenant, execution_id: id, id: wait });
  for (const review of effects.openReviews) {
    aside.reviews.push({ tenant, execution_id: id, bucket, ...reviewRow(after, review) });
  }
  for (const review of effects.closeReviews) {
    const decision = decided.events.find((event) => event.type === 'ReviewDecided' && event.review === review);
    const answer = decision?.type === 'ReviewDecided' ? decision : undefined;
    const comment = (answer?.answer as { comment?: string } | undefined)?.comment ?? null;
    aside.reviewsClosed.push({ tenant, id: review, execution_id: id, status: answer?.outcome ?? 'withdrawn', decided_by: answer?.decidedBy ?? null, approved_by: answer?.approvedBy ?? null, comment });
  }
}

/** What another definition changes of a row; whoever faulted stays ended as it was. */
function migrationOf({ before, after }: ExecutionDecided): object {
  if (after.definition.digest === before.definition.digest) return {};
  const { namespace, name, version, digest } = after.definition;
  return { definition: `${namespace}/${name}:${version}`, digest, is_same: after.status === before.status };
}

/** A retry that faults in its own decision: the status is as before, the end is another one. */
const hasEndedAgain = ({ events, after }: ExecutionDecided): boolean => isEnded(after) && events.some(({ type }) => type === 'ExecutionRetried');

function reviewRow({ definition, context }: ExecutionDecided['after'], review: OpenReview): object {
  const { id, kind, title, subject, form, openedAt, claim, terms = {}, approvedBy = [] } = review;
  return {
    id,
    kind,
    title: JSON.stringify(title),
    subject: JSON.stringify(subject),
    form: form === undefined ? null : JSON.stringify(form),
    opened_at: new Date(openedAt),
    workflow: `${definition.namespace}/${definition.name}:${definition.version}`,
    requested_by: context.actor,
    digest: terms.digest ?? null,
    assignees: assigneesOf(review),
    approvals_needed: terms.approvals ?? 1,
    approved_by: approvedBy,
    claimed_by: claim?.by ?? null,
    claimed_until: instantOf(claim?.until),
    due_at: instantOf(terms.due),
    expires_at: instantOf(terms.expires),
  };
}

const instantOf = (at: number | undefined): Date | null => (at === undefined ? null : new Date(at));
