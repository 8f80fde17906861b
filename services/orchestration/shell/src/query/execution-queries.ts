// Reads for callers, as their tenant: row-level security decides what is visible.
import { inTenant, type Pool } from '@weft/adapter-postgres';
import type { Execution, ExecutionPage, ExecutionQuery, MemberPage, Timeline } from '@weft/contracts';
import { decodeEvents, ERASED, timelineOf, type ExecutionEvent, type RecordedEvents } from '@weft/orchestration/core';
import { isUuid } from '@weft/kernel';
import { searchConditions } from './execution-search.js';
import { decodeCursor, encodeCursor, pageLimit } from '@weft/nest-platform';

interface ExecutionRow {
  readonly id: string;
  readonly status: string;
  readonly definition: string;
  readonly digest: string;
  readonly request_source: string;
  readonly request_id: string;
  readonly trace_id: string;
  readonly started: number;
  readonly ended: number | null;
  readonly ended_sequence: number | null;
  readonly version: number;
  readonly is_waiting: boolean;
  readonly request_type: string;
  readonly attributes: readonly (readonly [string, string])[] | null;
  readonly parent: string | null;
  readonly root: string | null;
}

interface HistoryRow {
  readonly sequence: number;
  readonly at: number;
  readonly structure: string;
  readonly payload: string | null;
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

// `waiting` is not stored: it is running with nothing but waits.
const IS_WAITING = `exists (select 1 from orchestration.waits w where w.tenant = e.tenant and w.execution_id = e.id and w.kind <> 'job')`;

const EXECUTION_COLUMNS = `e.id, e.status, e.definition, e.digest, e.request_source, e.request_id, e.trace_id, e.ended_sequence,
  (extract(epoch from e.started_at) * 1000)::float8 as started, (extract(epoch from e.ended_at) * 1000)::float8 as ended,
  coalesce((select max(h.sequence) from orchestration.history h where h.execution_id = e.id), 0) as version,
  ${IS_WAITING} as is_waiting, e.request_type, e.parent, e.root,
  (select json_agg(json_build_array(a.name, a.value) order by a.name, a.value) from orchestration.search_attributes a where a.tenant = e.tenant and a.execution_id = e.id) as attributes`;

type End = Extract<ExecutionEvent, { type: 'ExecutionCompleted' | 'ExecutionFaulted' | 'ExecutionCancelled' | 'ExecutionTerminated' }>;

const ENDS: ReadonlySet<ExecutionEvent['type']> = new Set<End['type']>(['ExecutionCompleted', 'ExecutionFaulted', 'ExecutionCancelled', 'ExecutionTerminated']);
const isEnd = (event: ExecutionEvent): event is End => ENDS.has(event.type);

const HISTORIES_SQL = `select execution_id, sequence, (extract(epoch from recorded_at) * 1000)::float8 as at, structure, payload
  from orchestration.history where execution_id = any($1::uuid[]) order by execution_id, sequence`;
const HISTORY_COLUMNS = `select sequence, (extract(epoch from recorded_at) * 1000)::float8 as at, structure, payload from orchestration.history`;
/** Where a query's executions are found, from `from` on; conditions may be added. @param first number of the first parameter. */
function matching(asked: ExecutionQuery, first: number): { readonly from: string; readonly values: readonly unknown[] } {
  const { joins, where, values, isWaiting } = searchConditions(asked, first);
  const waiting = isWaiting === undefined ? '' : ` and ${isWaiting ? '' : 'not '}${IS_WAITING}`;
  return { from: `from orchestration.executions e ${joins} where ${where}${waiting}`, values };
}

const HISTORY_SQL = `${HISTORY_COLUMNS} where execution_id = $1 and sequence > $2 order by sequence limit 5000`;

export class ExecutionQueries {
  constructor(private readonly pool: Pool) {}

  /** One execution with its input, what it waits for, and its output or error; undefined when the tenant has none of that id. */
  async get(tenant: string, id: string): Promise<Execution | undefined> {
    return inTenant(this.pool, tenant, async (query) => {
      const [row] = await query<ExecutionRow>(`select ${EXECUTION_COLUMNS} from orchestration.executions e where e.id = $1`, [id]);
      if (!row) return undefined;
      const waits = await query<{ id: string; kind: string; subject: string; due: number | null }>(
        `select id, kind, subject, (extract(epoch from due_at) * 1000)::float8 as due from orchestration.waits where execution_id = $1 order by due_at nulls last`,
        [id],
      );
      const ends = await query<HistoryRow>(`select sequence, 0::float8 as at, structure, payload from orchestration.history where execution_id = $1 and sequence = any($2::int[]) order by sequence`, [
        id,
        [0, row.ended_sequence ?? 0],
      ]);
      const [{ n: children } = { n: 0 }] = await query<{ n: number }>('select count(*)::int as n from orchestration.executions where parent = $1', [id]);
      const events = ends.flatMap((end): ExecutionEvent[] => decodeEvents(end, id));
      const execution = executionOf(row);
      execution.children = children;
      execution.waits = waits.map((wait) => ({ id: wait.id, kind: wait.kind, subject: wait.subject, dueAtMs: wait.due ?? 0 }));
      for (const event of events) {
        if (event.type !== 'ExecutionStarted') continue;
        execution.inputJson = JSON.stringify(event.input);
        execution.forkedFrom = event.from?.execution ?? '';
      }
      // The last end is the one that holds: a fork carries on from an execution that may have ended before.
      const end = row.ended_sequence === null ? undefined : events.findLast(isEnd);
      if (end?.type === 'ExecutionCompleted') execution.outputJson = JSON.stringify(end.output);
      else if (end) execution.errorJson = JSON.stringify(end.error);
      return execution;
    });
  }

  /** The whole history, oldest first; undefined when the tenant has no execution of that id. */
  async history(tenant: string, id: string): Promise<readonly RecordedEvents[] | undefined> {
    const rows = await inTenant(this.pool, tenant, (query) => query<HistoryRow>(`${HISTORY_COLUMNS} where execution_id = $1 order by sequence`, [id]));
    return rows.length === 0 ? undefined : rows.map((row) => ({ sequence: row.sequence, at: row.at, events: decodeEvents(row, id) }));
  }

  /** The whole histories of several, oldest first, by execution; without those that the tenant does not have. */
  async histories(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, readonly RecordedEvents[]>> {
    const rows = await inTenant(this.pool, tenant, (query) => query<HistoryRow & { execution_id: string }>(HISTORIES_SQL, [ids]), { readOnly: true });
    const found = new Map<string, RecordedEvents[]>();
    for (const row of rows) {
      const { execution_id: id, sequence, at } = row;
      const known = found.get(id) ?? [];
      found.set(id, known);
      known.push({ sequence, at, events: decodeEvents(row, id) });
    }
    return found;
  }

  /** Newest first: execution ids are time-ordered, so the last id is the cursor. */
  async list(tenant: string, asked: ExecutionQuery, limit: number, cursor: string): Promise<ExecutionPage> {
    const [after = LAST_ID] = decodeCursor(cursor, isUuid);
    const size = pageLimit(limit);
    const { from, values } = matching(asked, 3);
    const rows = await inTenant(this.pool, tenant, (query) => query<ExecutionRow>(`select ${EXECUTION_COLUMNS} ${from} and e.id < $1::uuid order by e.id desc limit $2`, [after, size + 1, ...values]));
    const page = rows.slice(0, size);
    return { executions: page.map(executionOf), nextCursor: rows.length > size ? encodeCursor([page.at(-1)!.id]) : '' };
  }

  /** Ids of those that a query means, newest first. */
  async ids(tenant: string, asked: ExecutionQuery, size: number, cursor: string): Promise<{ readonly ids: readonly string[]; readonly nextCursor: string }> {
    const [after = LAST_ID] = decodeCursor(cursor, isUuid);
    const { from, values } = matching(asked, 3);
    const rows = await inTenant(this.pool, tenant, (query) => query<{ id: string }>(`select e.id ${from} and e.id < $1::uuid order by e.id desc limit $2`, [after, size + 1, ...values]), {
      readOnly: true,
    });
    const ids = rows.slice(0, size).map(({ id }) => id);
    return { ids, nextCursor: rows.length > size ? encodeCursor([ids.at(-1)!]) : '' };
  }

  /** How many a query means; no further than the maximum. */
  async count(tenant: string, asked: ExecutionQuery, max: number): Promise<number> {
    const { from, values } = matching(asked, 2);
    const [row] = await inTenant(this.pool, tenant, (query) => query<{ n: number }>(`select count(*)::int as n from (select 1 ${from} limit $1) matched`, [max, ...values]), { readOnly: true });
    return row!.n;
  }

  async timeline(tenant: string, id: string, afterVersion: number): Promise<Timeline | undefined> {
    return inTenant(this.pool, tenant, async (query) => {
      const [row] = await query<ExecutionRow>(`select ${EXECUTION_COLUMNS} from orchestration.executions e where e.id = $1`, [id]);
      if (!row) return undefined;
      const rows = await query<HistoryRow>(HISTORY_SQL, [id, afterVersion]);
      const lines = timelineOf(rows.map((history) => ({ sequence: history.sequence, at: history.at, events: decodeEvents(history, id) })));
      const entries = lines.map(({ version, at, type, task, pointer, part, text, detail }) => ({ version, atMs: at, type, task, pointer, part, text, detailJson: JSON.stringify(detail) }));
      return { executionId: id, status: statusOf(row), version: row.version, entries };
    });
  }

  /** What the audit log's proofs are about: each decision with everything its digest covers. */
  async members(tenant: string, id: string): Promise<MemberPage> {
    const rows = await inTenant(this.pool, tenant, (query) =>
      query<HistoryRow & { tenant: string; payload_salt: Buffer; payload_digest: Buffer; commit_id: string }>(
        `select sequence, (extract(epoch from recorded_at) * 1000)::float8 as at, structure, payload, tenant, payload_salt, payload_digest, commit_id from orchestration.history where execution_id = $1 order by sequence`,
        [id],
      ),
    );
    return {
      members: rows.map((row) => ({
        sequence: row.sequence,
        tenant: row.tenant,
        recordedAtMs: Math.round(row.at),
        structure: row.structure,
        payload: row.payload ?? JSON.stringify(ERASED),
        payloadErased: row.payload === null,
        payloadSalt: row.payload_salt,
        payloadDigest: row.payload_digest,
        commitId: row.commit_id,
      })),
    };
  }
}

const statusOf = (row: ExecutionRow): string => (row.status === 'running' && row.is_waiting ? 'waiting' : row.status);

function executionOf(row: ExecutionRow): Execution {
  const [, namespace = '', name = '', version = ''] = /^(.*?)\/(.*):(.*)$/.exec(row.definition) ?? [];
  return {
    executionId: row.id,
    status: statusOf(row),
    definition: { namespace, name, version, digest: row.digest },
    requestId: row.request_id,
    requestSource: row.request_source,
    startedAtMs: row.started,
    endedAtMs: row.ended ?? 0,
    outputJson: '',
    errorJson: '',
    version: row.version,
    traceId: row.trace_id,
    waits: [],
    inputJson: '',
    forkedFrom: '',
    parent: row.parent ?? '',
    root: row.root ?? '',
    children: 0,
    requestType: row.request_type,
    attributes: (row.attributes ?? []).map(([name, value]) => ({ name, value })),
  };
}
