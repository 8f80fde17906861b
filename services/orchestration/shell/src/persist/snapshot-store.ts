// Snapshots of long histories: a cache of history, written after the commit and never needed. Losing one costs a longer fold.
import { execute, textArray, uuidArray, intArray, smallintArray, type Pool } from '@weft/adapter-postgres';
import { bucketOf } from '@weft/kernel';
import type { ExecutionState } from '@weft/orchestration/core';

/** A history is folded from its last snapshot on: at most this many rows more than since that. Source: docs/adr/0010. */
export const SNAPSHOT_EVERY = 256;

/** Raised whenever a state is made otherwise than before: snapshots of another form are passed by, and written anew. */
export const STATE_FORM = 2;

/** A state and the version that it is of. */
export interface Snapshot {
  readonly executionId: string;
  readonly version: number;
  readonly state: ExecutionState;
}

// An older snapshot never replaces a newer one: two replicas may write out of turn.
const KEEP_SQL = `
insert into orchestration.snapshots as s (tenant, execution_id, bucket, version, form, state)
select tenant, execution_id, bucket, version, $1::int, state
from unnest($2::text[], $3::uuid[], $4::smallint[], $5::int[], $6::text[]) as t(tenant, execution_id, bucket, version, state)
on conflict (execution_id, tenant) do update set version = excluded.version, form = excluded.form, state = excluded.state
where s.form < excluded.form or (s.form = excluded.form and s.version < excluded.version)`;
const DROP_SQL = 'delete from orchestration.snapshots where execution_id = any($1::uuid[])';

export class SnapshotStore {
  constructor(private readonly pool: Pool) {}

  /** Keeps states that are committed. */
  async keep(snapshots: readonly Snapshot[]): Promise<void> {
    const values = [
      STATE_FORM,
      textArray(snapshots.map(({ state }) => state.context.tenant)),
      uuidArray(snapshots.map(({ executionId }) => executionId)),
      smallintArray(snapshots.map(({ executionId }) => bucketOf(executionId))),
      intArray(snapshots.map(({ version }) => version)),
      textArray(snapshots.map(({ state }) => JSON.stringify(state))),
    ];
    await execute(this.pool, { name: 'orchestration-keep-snapshots-1', text: KEEP_SQL, values });
  }

  /** Lets go of the snapshots of executions that have ended. */
  async drop(executions: readonly string[]): Promise<void> {
    await execute(this.pool, { name: 'orchestration-drop-snapshots-1', text: DROP_SQL, values: [executions] });
  }
}
