// Schedules: those of the version deployed last, when each is due, and what people did to them.
import { execute, inTenant, type Pool, type Query } from '@weft/adapter-postgres';
import { firstDue, schedulesOf, timedSchedule, type ScheduleKind } from '@weft/orchestration/core';
import type { Instant, Json } from '@weft/kernel';
import { memberDigest, payloadDigest } from '@weft/proof';

/** Names a schedule of a tenant. */
export interface ScheduleName {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
}

export interface StoredSchedule extends ScheduleName {
  readonly kind: ScheduleKind;
  readonly version: string;
  readonly digest: string;
  readonly given: string;
  readonly paused: boolean;
  readonly due: Instant | null;
  readonly started: Instant | null;
  readonly executionId: string | null;
  readonly changedBy: string;
  readonly changed: Instant | null;
  readonly reason: string;
}

/** A schedule that is due, claimed for a while. */
export type DueSchedule = StoredSchedule & { readonly due: Instant };

/** What became of a time that was due. */
export interface DealtWith {
  readonly schedule: DueSchedule;
  /** Undefined: none until the execution ends, or none any more. */
  readonly next: Instant | undefined;
  readonly started?: { readonly at: Instant; readonly executionId: string };
}

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;
const COLUMNS = `s.tenant, s.namespace, s.name, s.kind, s.version, s.digest, s.given, s.paused, ${ms('s.due_at')} as due, ${ms('s.started_at')} as started, s.started_execution as "executionId",
  s.changed_by as "changedBy", ${ms('s.changed_at')} as changed, s.reason`;
const SCHEDULES_MAX = 1_000;
/** Schedules that are claimed at a time, at most. */
export const CLAIMED_MAX = 500;

const CLAIM_SQL = `
update orchestration.schedules s set claimed_until = now() + interval '10 seconds'
from (
  select tenant, namespace, name, kind from orchestration.schedules
  where due_at <= coalesce($1::timestamptz, now()) and not paused and (claimed_until is null or claimed_until < now()) order by due_at limit ${CLAIMED_MAX} for update skip locked
) d
where s.tenant = d.tenant and s.namespace = d.namespace and s.name = d.name and s.kind = d.kind
returning ${COLUMNS}`;

const DONE_SQL = `
update orchestration.schedules s set due_at = d.next, claimed_until = null, started_at = coalesce(d.started, started_at), started_execution = coalesce(d.execution, started_execution)
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::uuid[])
  as d(tenant, namespace, name, kind, digest, due, next, started, execution)
where s.tenant = d.tenant and s.namespace = d.namespace and s.name = d.name and s.kind = d.kind and s.digest = d.digest and s.due_at = d.due`;

const AFTER_END_SQL = `
update orchestration.schedules s set due_at = e.ended_at + s.after_ms * interval '1 millisecond'
from orchestration.executions e
where s.kind = 'after' and s.due_at is null and e.tenant = s.tenant and e.id = s.started_execution and e.ended_at is not null`;

// Archived before anybody looked, as after a long time without a process.
const AFTER_GONE_SQL = `
update orchestration.schedules s set due_at = date_trunc('milliseconds', now()) + s.after_ms * interval '1 millisecond'
where s.kind = 'after' and s.due_at is null and s.started_execution is not null and not exists (select 1 from orchestration.executions e where e.tenant = s.tenant and e.id = s.started_execution)`;

// Whoever pauses a definition pauses every kind of its schedules: those that a new version brings along are no exception.
const PAUSED_SQL = `
select changed_by as "changedBy", changed_at as "changedAt", reason from orchestration.schedules
where tenant = $1 and namespace = $2 and name = $3 and paused order by changed_at desc limit 1`;

// An `after` that waits for the end of its execution goes on waiting: the version after it is not started beside it.
const DEPLOYED_SQL = `
insert into orchestration.schedules as s (tenant, namespace, name, kind, version, digest, given, after_ms, due_at, paused, changed_by, changed_at, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (tenant, namespace, name, kind) do update set version = excluded.version, digest = excluded.digest, given = excluded.given, after_ms = excluded.after_ms, claimed_until = null,
  due_at = case when s.kind = 'after' and s.due_at is null and s.started_execution is not null then null else excluded.due_at end`;

interface Pause {
  readonly changedBy: string;
  readonly changedAt: Date | null;
  readonly reason: string;
}

// What a person did is a leaf of the audit log, as every decision: the row and its commit in one statement.
const CHANGE_SQL = `
with changed as (
  update orchestration.schedules set paused = $4, due_at = coalesce($14::timestamptz, due_at), changed_by = $5, changed_at = $6::timestamptz, reason = $7, sequence = sequence + 1, changes = changes || $8 || E'\\n'
  where tenant = $1 and namespace = $2 and name = $3 and kind = $9 and sequence = $10
  returning sequence
)
insert into orchestration.commits (id, members, digests, tenants, published, recorded_at)
select $11::uuid, json_build_array(json_build_array($12::text, sequence))::text, $13::bytea, array[$1], true, $6::timestamptz from changed
returning id`;

export class ScheduleStore {
  constructor(
    private readonly tenantPool: Pool,
    private readonly enginePool: Pool,
  ) {}

  /** Takes over the schedules of a version that is deployed, in the transaction that stores it. Those of the version before end; who paused them has paused these. */
  async deployed(query: Query, { tenant, namespace, name }: ScheduleName, { version, digest }: Pick<StoredSchedule, 'version' | 'digest'>, document: Json, now: Instant): Promise<void> {
    const schedules = schedulesOf(document);
    const [pause] = await query<Pause>(PAUSED_SQL, [tenant, namespace, name]);
    await query('delete from orchestration.schedules where tenant = $1 and namespace = $2 and name = $3 and kind <> all($4::text[])', [tenant, namespace, name, schedules.map(({ kind }) => kind)]);
    await query('delete from orchestration.schedule_events where tenant = $1 and namespace = $2 and name = $3 and started_execution is null', [tenant, namespace, name]);
    for (const { kind, given } of schedules) {
      const timed = kind === 'on' ? undefined : timedSchedule(kind, given);
      const due = timed && firstDue(timed, now);
      const { changedBy = '', changedAt = null, reason = '' } = pause ?? {};
      await query(DEPLOYED_SQL, [
        tenant,
        namespace,
        name,
        kind,
        version,
        digest,
        JSON.stringify(given),
        timed?.kind === 'after' ? timed.ms : null,
        due === undefined ? null : new Date(due),
        pause !== undefined,
        changedBy,
        changedAt,
        reason,
      ]);
    }
  }

  /** Of one definition, or of all of a tenant, in the order of their names. */
  async list(tenant: string, namespace = '', name = ''): Promise<readonly StoredSchedule[]> {
    return inTenant(
      this.tenantPool,
      tenant,
      (query) =>
        query<StoredSchedule>(
          `select ${COLUMNS} from orchestration.schedules s where tenant = $1 and ($2 = '' or namespace = $2) and ($3 = '' or name = $3) order by namespace, name, kind limit ${SCHEDULES_MAX}`,
          [tenant, namespace, name],
        ),
      { readOnly: true },
    );
  }

  /** What events of a tenant may start: all of it, however much there is. */
  async ofEvents(tenant: string): Promise<readonly StoredSchedule[]> {
    return inTenant(
      this.tenantPool,
      tenant,
      (query) => query<StoredSchedule>(`select ${COLUMNS} from orchestration.schedules s where tenant = $1 and kind = 'on' and not paused order by namespace, name`, [tenant]),
      { readOnly: true },
    );
  }

  /** Pauses or resumes; whoever pauses what another has paused meanwhile changes it again. @returns false when it has changed since it was read. */
  async change(
    { tenant, namespace, name, kind }: StoredSchedule,
    change: { readonly paused: boolean; readonly by: string; readonly reason: string; readonly at: Instant; readonly due: Instant | undefined; readonly commitId: string },
  ): Promise<boolean> {
    const [row] = await execute<{ sequence: number }>(this.enginePool, {
      name: 'orchestration-schedule-sequence-1',
      text: 'select sequence from orchestration.schedules where tenant = $1 and namespace = $2 and name = $3 and kind = $4',
      values: [tenant, namespace, name, kind],
    });
    if (!row) return false;
    const { paused, by, reason, at, due, commitId } = change;
    const subject = `schedule:${tenant}/${namespace}/${name}/${kind}`;
    const structure = JSON.stringify([{ type: paused ? 'SchedulePaused' : 'ScheduleResumed', at, by, reason }]);
    const digest = memberDigest({ subject, sequence: row.sequence + 1, tenant, at, structure, payloadDigest: payloadDigest(Buffer.alloc(16), '') });
    const done = await execute(this.enginePool, {
      name: 'orchestration-schedule-change-1',
      text: CHANGE_SQL,
      values: [tenant, namespace, name, paused, by, new Date(at), reason, structure, kind, row.sequence, commitId, subject, digest, due === undefined ? null : new Date(due)],
    });
    return done.length > 0;
  }

  /** Claims what is due, for ten seconds: any replica may ask. */
  claimDue(upTo?: Instant): Promise<DueSchedule[]> {
    return execute<DueSchedule>(this.enginePool, { name: 'orchestration-schedules-claim-3', text: CLAIM_SQL, values: [upTo === undefined ? null : new Date(upTo)] });
  }

  /** Notes that times are dealt with, and when the next ones are. Each counts once, whoever says it. */
  async done(dealt: readonly DealtWith[]): Promise<void> {
    if (dealt.length === 0) return;
    const each = <T>(of: (one: DealtWith) => T): readonly T[] => dealt.map(of);
    const instant = (at: Instant | undefined): Date | null => (at === undefined ? null : new Date(at));
    await execute(this.enginePool, {
      name: 'orchestration-schedules-done-2',
      text: DONE_SQL,
      values: [
        each(({ schedule }) => schedule.tenant),
        each(({ schedule }) => schedule.namespace),
        each(({ schedule }) => schedule.name),
        each(({ schedule }) => schedule.kind),
        each(({ schedule }) => schedule.digest),
        each(({ schedule }) => new Date(schedule.due)),
        each(({ next }) => instant(next)),
        each(({ started }) => instant(started?.at)),
        each(({ started }) => started?.executionId ?? null),
      ],
    });
  }

  /** Sets the time of those that wait for the end of their execution, once it has ended. */
  async setAfterEnds(): Promise<void> {
    await execute(this.enginePool, { name: 'orchestration-schedules-after-1', text: AFTER_END_SQL, values: [] });
    await execute(this.enginePool, { name: 'orchestration-schedules-after-gone-1', text: AFTER_GONE_SQL, values: [] });
  }
}
