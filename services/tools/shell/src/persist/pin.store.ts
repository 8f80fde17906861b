// The HistoryStore of pins: the row of a tool and the commit row in ONE named statement.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import type { Json } from '@weft/kernel';
import type { Commit, Decided, HistoryStore, StoredHistory } from '@weft/pipeline';
import { memberDigest, payloadDigest } from '@weft/proof';
import type { PinEvent, PinState } from '@weft/tools/core';

const SHOWN = `tool, sequence, state`;
const LOAD_SQL = `select ${SHOWN} from tools.pins where tool = any($1::text[])`;
const OF_SOURCES_SQL = `select ${SHOWN} from tools.pins where source = any($1::text[])`;
const NOW_SQL = `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`;
const OUTCOME_SQL = `select members from tools.commits where id = $1`;

// Tenant of what is decided for the deployment as a whole, in the log.
const DEPLOYMENT = '*';

/**
 * $1 commit id, $2 instant; per decision, in order of the tool: $3 tools, $4 sources, $5 sequences, $6 states, $7 structures and
 * $8 member digests (32 bytes each, joined). @returns the tools that won.
 */
const COMMIT_SQL = `
with tried as materialized (
  select * from unnest($3::text[], $4::text[], $5::int[], $6::text[], $7::text[]) with ordinality as t(tool, source, sequence, state, structure, ordinal)
), won as (
  insert into tools.pins as p (tool, source, sequence, state, structure, commit_id, recorded_at)
  select tool, source, sequence, state, structure, $1::uuid, $2::timestamptz from tried order by ordinal
  on conflict (tool) do update set
    sequence = excluded.sequence, state = excluded.state, structure = p.structure || E'\\n' || excluded.structure, commit_id = excluded.commit_id, recorded_at = excluded.recorded_at
    where p.sequence = excluded.sequence - 1
  returning p.tool, p.sequence
), committed as (
  insert into tools.commits (id, members, digests, tenants, published, recorded_at)
  select $1::uuid, '[' || string_agg(json_build_array('tool:' || tool, sequence)::text, ',' order by ordinal) || ']',
    string_agg(substring($8::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal), array['${DEPLOYMENT}'], true, $2::timestamptz
  from tried join won using (tool, sequence) having count(*) > 0
)
select tool as key from won`;

interface PinRow {
  readonly tool: string;
  readonly sequence: number;
  readonly state: string;
}

export type PinStore = HistoryStore<PinState, PinEvent, never> & {
  /** Every pin of some sources, by tool. */
  ofSources(sources: readonly string[]): Promise<ReadonlyMap<string, PinState>>;
};

/** @param pool of the engine role. @param setClock is told the time of the store by each load. */
export function pinStore(pool: Pool, setClock: (now: number) => void): PinStore {
  return {
    async load(keys) {
      const [[now], rows] = await Promise.all([
        execute<{ now_ms: number }>(pool, { name: 'tools-now-1', text: NOW_SQL, values: [] }),
        execute<PinRow>(pool, { name: 'tools-pins-load-1', text: LOAD_SQL, values: [keys] }),
      ]);
      if (now) setClock(now.now_ms);
      return new Map(rows.map((row): [string, StoredHistory<PinEvent, PinState>] => [row.tool, { version: row.sequence, snapshot: stateOf(row), events: [] }]));
    },

    async commit(commit) {
      const rows = await commitStatement<{ key: string }>(pool, commit.id, { name: 'tools-pins-commit-1', text: COMMIT_SQL, values: valuesOf(commit) });
      return new Set(rows.map(({ key }) => key));
    },

    async outcomeOf(commitId) {
      const [row] = await execute<{ members: string }>(pool, { name: 'tools-outcome-1', text: OUTCOME_SQL, values: [commitId] });
      return row ? new Set((JSON.parse(row.members) as [string, number][]).map(([subject]) => subject.slice('tool:'.length))) : undefined;
    },

    async ofSources(sources) {
      const rows = await execute<PinRow>(pool, { name: 'tools-pins-of-1', text: OF_SOURCES_SQL, values: [sources] });
      return new Map(rows.map((row) => [row.tool, stateOf(row)]));
    },
  };
}

const stateOf = ({ state }: PinRow): PinState => JSON.parse(state) as PinState;

/** Source of a tool: the name of a source holds no dot. */
export const sourceOfTool = (tool: string): string => tool.slice(0, Math.max(0, tool.indexOf('.')));

function valuesOf(commit: Commit<PinState, PinEvent, never>): unknown[] {
  // Sorted, so that two batches never lock rows in opposite orders.
  const decisions = [...commit.decisions].sort((left, right) => (left.key < right.key ? -1 : 1));
  const structures = decisions.map(structureOf);
  return [
    commit.id,
    new Date(commit.at),
    decisions.map(({ key }) => key),
    decisions.map(({ key }) => sourceOfTool(key)),
    decisions.map(({ sequence }) => sequence),
    decisions.map(({ after }) => JSON.stringify(after)),
    structures,
    Buffer.concat(
      decisions.map(({ key, sequence }, index) =>
        memberDigest({ subject: `tool:${key}`, tenant: DEPLOYMENT, sequence, at: commit.at, structure: structures[index] ?? '', payloadDigest: payloadDigest(Buffer.alloc(16), '') }),
      ),
    ),
  ];
}

/** What was decided, without the definition: its digest stands for it. */
function structureOf({ events }: Decided<PinState, PinEvent, never>): string {
  return JSON.stringify(
    events.map((event): Json => {
      if (event.type !== 'ToolOffered') return event;
      const { type, at, digest } = event;
      return { type, at, digest };
    }),
  );
}
