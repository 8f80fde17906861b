// The rows by which replicas know of each other. Only the clock of the database decides who is present.
import { execute, type Pool } from '@weft/adapter-postgres';

/** Who this process is. */
export interface ReplicaIdentity {
  /** Where it is, such as host and address: a later life at the same place says that the former one has ended. */
  readonly name: string;
  /** UUIDv7 of this start of the process. */
  readonly life: string;
}

export interface ReplicaRows {
  /**
   * Says that this replica is there. @param isAble whether it takes a share of the buckets.
   * @returns the lives that take one and were heard within the time to live, its own among them if it does.
   */
  beat(isAble: boolean): Promise<readonly string[]>;
  /** Says that it has gone. */
  leave(): Promise<void>;
}

// Rows of the long dead go along the way. An older life takes the row of a later one only when that is silent: a host's clock may have gone back.
const BEAT_SQL = `
with beaten as (
  insert into orchestration.replicas (name, life, is_able, beat_at) values ($1, $2::uuid, $3, clock_timestamp())
  on conflict (name) do update set life = excluded.life, is_able = excluded.is_able, beat_at = excluded.beat_at
  where replicas.life <= excluded.life or replicas.beat_at < clock_timestamp() - $4::float8 * interval '1 millisecond'
  returning life, is_able
), buried as (
  delete from orchestration.replicas where name <> $1 and beat_at < clock_timestamp() - $4::float8 * interval '20 milliseconds'
)
select life from beaten where is_able
union all
select life from orchestration.replicas where name <> $1 and is_able and beat_at >= clock_timestamp() - $4::float8 * interval '1 millisecond'`;
const LEAVE_SQL = `delete from orchestration.replicas where name = $1 and life = $2::uuid`;

/** @param pool of the engine role, with a connection that nothing else waits for. @param ttlMs silence after which a replica counts as gone. */
export function replicaRows(pool: Pool, { name, life }: ReplicaIdentity, ttlMs: number): ReplicaRows {
  return {
    beat: async (isAble) => (await execute<{ life: string }>(pool, { name: 'orchestration-beat-1', text: BEAT_SQL, values: [name, life, isAble, ttlMs] })).map((row) => row.life),
    leave: async () => void (await execute(pool, { name: 'orchestration-leave-1', text: LEAVE_SQL, values: [name, life] })),
  };
}
