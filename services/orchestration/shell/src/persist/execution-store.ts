// The HistoryStore of executions: history, commit row and everything that hangs on them in ONE named statement.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import { decodeEvents, type ExecutionEvent, type ExecutionState, type SearchAttribute } from '@weft/orchestration/core';
import { failpoint, type Commit, type HistoryStore, type StoredHistory } from '@weft/pipeline';
import { COMMIT } from './commit-statement.js';
import { commitValues } from './commit-values.js';
import type { PublishedCommits } from './published-commits.js';
import { STATE_FORM } from './snapshot-store.js';

export type ExecutionCommit = Commit<ExecutionState, ExecutionEvent, never>;
export type ExecutionStore = HistoryStore<ExecutionState, ExecutionEvent, never>;

// A snapshot comes before the rows that are younger than it, and stands in for the older ones: those are not even looked at. The
// `offset 0` keeps the server from turning the join around, which reads the whole table once a few long histories fill it.
export const LOAD_SQL = `
select execution_id, version as sequence, state as structure, null as payload, true as "isSnapshot" from orchestration.snapshots where execution_id = any($1::uuid[]) and form = $2
union all
select k.id, h.sequence, h.structure, h.payload, false from unnest($1::uuid[]) as k(id)
left join orchestration.snapshots s on s.execution_id = k.id and s.form = $2
cross join lateral (select r.sequence, r.structure, r.payload from orchestration.history r where r.execution_id = k.id and r.sequence > coalesce(s.version, -1) offset 0) h
order by execution_id, sequence`;

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
 * @param attributesOf of executions that start. Default: none. @param tellsTasks whether what becomes of tasks is to be published.
 */
export function executionStore(pool: Pool, published: PublishedCommits, attributesOf: AttributesOf = NO_ATTRIBUTES, tellsTasks = false): ExecutionStore {
  return {
    async load(keys) {
      const rows = await execute<StoredRow>(pool, { name: 'orchestration-load-3', text: LOAD_SQL, values: [[...new Set(keys)], STATE_FORM] });
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
      const { decisions, life, waiting, attributes, subscriptions } = commitValues(commit, attributesOf, tellsTasks);
      failpoint('orchestration.commit', 'before');
      const statements = commit.decisions.length === 1 ? COMMIT.lone : COMMIT.batch;
      const isSubscribing = subscriptions.some((entries) => entries.length > 0);
      const isFound = isSubscribing || attributes.length > 0;
      const isWaiting = isFound || waiting.some((entries) => entries.length > 0);
      if (!isWaiting && life.every((entries) => entries.length === 0)) {
        const rows = await commitStatement<{ execution_id: string }>(pool, commit.id, { ...statements.decisions, values: decisions });
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
          ...(isSubscribing ? subscriptions.map((entries) => JSON.stringify(entries)) : []),
        ];
        const rows = await commitStatement<{ execution_id: string }>(pool, commit.id, {
          ...(isSubscribing ? statements.subscribed : isFound ? statements.foundBy : isWaiting ? statements.waiting : statements.life),
          values,
        });
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
