// Reads of reviews for callers, as their tenant: row-level security decides what is visible.
import { inTenant, type Pool } from '@weft/adapter-postgres';
import { ReviewEntry, type Context, type ListReviewsRequest, type Review, type ReviewDetail, type ReviewPage } from '@weft/contracts';
import { isJsonObject, isUuid, refuse, type Json } from '@weft/kernel';
import { decodeEvents, type ExecutionEvent } from '@weft/orchestration/core';
import { instant, text, WORKFLOW } from './execution-search.js';
import { decodeCursor, encodeCursor, isText, isTimestamp, pageLimit } from '@weft/nest-platform';

interface ReviewRow {
  readonly id: string;
  readonly execution_id: string;
  readonly kind: string;
  readonly title: string;
  readonly subject: string;
  readonly form: string | null;
  readonly status: string;
  readonly opened: number;
  readonly opened_text: string;
  readonly closed: number | null;
  readonly decided_by: string | null;
  readonly comment: string | null;
  readonly digest: string | null;
  readonly expires: number | null;
  readonly due: number | null;
  readonly workflow: string;
  readonly requested_by: string;
  readonly assignees: readonly string[];
  readonly approvals_needed: number;
  readonly approved_by: readonly string[];
  readonly claimed_by: string | null;
  readonly claimed: number | null;
}

const MS = (column: string, name: string): string => `(extract(epoch from r.${column}) * 1000)::float8 as ${name}`;

// A claim that has run out is none.
const REVIEW_SQL = `select r.id, r.execution_id, r.kind, r.title, r.subject, r.form, r.status, r.opened_at::text as opened_text, ${MS('opened_at', 'opened')}, ${MS('closed_at', 'closed')}, r.decided_by,
  r.comment, r.digest, ${MS('expires_at', 'expires')}, ${MS('due_at', 'due')}, r.workflow, r.requested_by, r.assignees, r.approvals_needed, r.approved_by,
  case when r.claimed_until > now() then r.claimed_by end as claimed_by, case when r.claimed_until > now() then (extract(epoch from r.claimed_until) * 1000)::float8 end as claimed
  from orchestration.reviews r`;

/** Everything that somebody may be called by as an assignee. */
const namesOf = ({ actor }: Pick<Context, 'actor'>, roles: readonly string[]): readonly string[] => [actor, ...roles.map((role) => `role:${role}`)];

const ENTRIES_MAX = 1_000;

export class ReviewQueries {
  constructor(private readonly pool: Pool) {}

  /** Reviews of the tenant, the oldest first. @throws Refused `request-invalid`. */
  async list(asked: ListReviewsRequest, context: Pick<Context, 'tenant' | 'actor'>): Promise<ReviewPage> {
    const [openedAt, id] = decodeCursor(asked.cursor, isTimestamp, isText);
    const size = pageLimit(asked.limit);
    const { where, values } = conditionsOf(asked, context, 2);
    const after = openedAt === undefined || id === undefined ? '' : ` and (r.opened_at, r.id) > ($${values.length + 2}::timestamptz, $${values.length + 3})`;
    const sql = `${REVIEW_SQL} where ${where}${after} order by r.opened_at, r.id limit $1`;
    const rows = await inTenant(this.pool, context.tenant, (query) => query<ReviewRow>(sql, [size + 1, ...values, ...(after === '' ? [] : [openedAt, id])]));
    const page = rows.slice(0, size);
    const last = page.at(-1);
    return { reviews: page.map(reviewOf), nextCursor: rows.length > size && last ? encodeCursor([last.opened_text, last.id]) : '' };
  }

  async get(tenant: string, id: string): Promise<Review | undefined> {
    if (!isText(id)) return undefined;
    const [row] = await inTenant(this.pool, tenant, (query) => query<ReviewRow>(`${REVIEW_SQL} where r.id = $1`, [id]));
    return row && reviewOf(row);
  }

  /** A review with what has happened to it; undefined when the tenant has none of that id. */
  async detail(tenant: string, id: string): Promise<ReviewDetail | undefined> {
    const review = await this.get(tenant, id);
    if (!review) return undefined;
    const rows = await inTenant(this.pool, tenant, (query) =>
      query<{ at: number; structure: string; payload: string | null }>(
        `select (extract(epoch from recorded_at) * 1000)::float8 as at, structure, payload from orchestration.history where execution_id = $1 and strpos(structure, $2) > 0 order by sequence desc limit $3`,
        [review.executionId, JSON.stringify(id), ENTRIES_MAX],
      ),
    );
    const entries = rows.reverse().flatMap(({ at, ...stored }) => decodeEvents(stored, review.executionId).flatMap((event) => ('review' in event && event.review === id ? entryOf(event, at) : [])));
    return { review, entries };
  }
}

const STATUSES = ['open', 'approved', 'rejected', 'happened', 'did-not-happen', 'expired', 'withdrawn'];
const KINDS = ['approval', 'effect-outcome', 'action'];

function conditionsOf(asked: ListReviewsRequest, context: Pick<Context, 'actor'>, first: number): { readonly where: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const place = (given: unknown): string => `$${first + values.push(given) - 1}`;
  const { status, kind, workflow, executionId, mine, role, dueBeforeMs, roles } = asked;
  const wheres: string[] = [];
  if (status !== '' && status !== 'all' && !STATUSES.includes(status)) refuse('request-invalid', `Expected a status of ${STATUSES.join(', ')} or all but got ${JSON.stringify(status.slice(0, 80))}.`);
  if (status !== 'all') wheres.push(status === '' || status === 'open' ? `r.status = 'open'` : `r.status = ${place(status)}`);
  if (kind !== '') {
    if (!KINDS.includes(kind)) refuse('request-invalid', `Expected a kind of ${KINDS.join(', ')} but got ${JSON.stringify(kind.slice(0, 80))}.`);
    wheres.push(`r.kind = ${place(kind)}`);
  }
  if (workflow !== '') {
    if (!WORKFLOW.test(text('workflow', workflow))) refuse('request-invalid', `Expected a workflow as namespace/name or namespace/name:version but got ${JSON.stringify(workflow.slice(0, 200))}.`);
    wheres.push(workflow.includes(':') ? `r.workflow = ${place(workflow)}` : `starts_with(r.workflow, ${place(`${workflow}:`)})`);
  }
  if (executionId !== '') {
    if (!isUuid(executionId)) refuse('request-invalid', `Expected the id of an execution but got ${JSON.stringify(executionId.slice(0, 80))}.`);
    wheres.push(`r.execution_id = ${place(executionId)}::uuid`);
  }
  if (role !== '') wheres.push(`${place(`role:${text('role', role)}`)} = any(r.assignees)`);
  if (dueBeforeMs !== 0) wheres.push(`r.due_at < ${place(new Date(instant('due_before_ms', dueBeforeMs)))}`);
  if (mine) {
    const actor = place(context.actor);
    wheres.push(
      `(r.assignees = '{}' or r.assignees && ${place(namesOf(context, roles))}::text[])`,
      `(r.claimed_until is null or r.claimed_until <= now() or r.claimed_by = ${actor})`,
      `not ${actor} = any(r.approved_by)`,
      `not (r.approvals_needed > 1 and r.requested_by = ${actor})`,
      `(r.expires_at is null or r.expires_at > now())`,
    );
  }
  return { where: wheres.length === 0 ? 'true' : wheres.join(' and '), values };
}

const reviewOf = (row: ReviewRow): Review => ({
  reviewId: row.id,
  executionId: row.execution_id,
  kind: row.kind,
  title: JSON.parse(row.title) as string,
  subjectJson: row.subject,
  formJson: row.form ?? '',
  status: row.status,
  openedAtMs: row.opened,
  closedAtMs: row.closed ?? 0,
  decidedBy: row.decided_by ?? '',
  comment: row.comment ?? '',
  digest: row.digest ?? '',
  expiresAtMs: row.expires ?? 0,
  dueAtMs: row.due ?? 0,
  workflow: row.workflow,
  requestedBy: row.requested_by,
  assignees: [...row.assignees],
  approvalsNeeded: row.approvals_needed,
  approvedBy: [...row.approved_by],
  claimedBy: row.claimed_by ?? '',
  claimedUntilMs: row.claimed ?? 0,
});

/** One line of a review's history. What was erased shows as it folds. */
function entryOf(event: ExecutionEvent, recordedAt: number): ReviewEntry[] {
  switch (event.type) {
    case 'ReviewRequested':
      return [entry(event.at, 'requested', { to: [...(event.terms?.assignees ?? [])] })];
    case 'ReviewChanged': {
      const by = 'by' in event ? event.by : '';
      const formJson = 'form' in event && event.form !== undefined ? JSON.stringify(event.form) : '';
      return [entry(event.at, event.change, { by, to: 'to' in event ? [...event.to] : [], untilMs: 'until' in event ? event.until : 0, text: 'text' in event ? textOf(event.text) : '', formJson })];
    }
    case 'ReviewDecided': {
      const { comment, form } = isJsonObject(event.answer) ? event.answer : {};
      return [entry(recordedAt, event.outcome, { by: event.decidedBy, text: textOf(comment), formJson: form === undefined || form === null ? '' : JSON.stringify(form) })];
    }
    default:
      return [];
  }
}

const entry = (atMs: number, what: string, more: Partial<ReviewEntry>): ReviewEntry => ReviewEntry.fromPartial({ atMs, what, ...more });

const textOf = (value: Json | undefined): string => (value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value));
