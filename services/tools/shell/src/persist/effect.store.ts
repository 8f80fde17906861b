// The HistoryStore of effects: ledger rows and their commit row in ONE named statement.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import { bucketOf, invariant } from '@weft/kernel';
import type { Commit, Decided, HistoryStore, StoredHistory } from '@weft/pipeline';
import { memberDigest, payloadDigest } from '@weft/proof';
import type { EffectEvent, EffectState, EffectSubject } from '@weft/tools/core';
import { randomBytes } from 'node:crypto';
import { COMMIT_SQL, COMMIT_STATEMENT } from './commit-statement.js';
import { decodeEffect, encodeEffect } from './effect.codec.js';
import type { StoreClock } from './store-clock.js';

export type EffectStore = HistoryStore<EffectState, EffectEvent, never>;
type EffectDecided = Decided<EffectState, EffectEvent, never>;

// A row comes back for every key, with or without an effect: it carries the time of the store.
const LOAD_SQL = `
  select t.key, e.sequence, e.structure, e.response, (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms
  from unnest($1::text[], $2::text[]) as t(tenant, key) left join tools.effects e on e.tenant = t.tenant and e.key = t.key`;
const OUTCOME_SQL = `select members from tools.commits where id = $1`;

interface LoadedRow {
  readonly key: string;
  readonly sequence: number | null;
  readonly structure: string;
  readonly response: string | null;
  readonly now_ms: number;
}

/** The tenant in an idempotency key, which begins with it. */
export const tenantOfKey = (key: string): string => key.slice(0, key.indexOf('/'));

/** @param pool of the engine role. @param clock is set to the time of the store by each load. */
export function effectStore(pool: Pool, clock: StoreClock): EffectStore {
  return {
    async load(keys) {
      const rows = await execute<LoadedRow>(pool, { name: 'tools-load-1', text: LOAD_SQL, values: [keys.map(tenantOfKey), keys] });
      const [first] = rows;
      if (first) clock.set(first.now_ms);
      const found = rows.flatMap((row): [string, StoredHistory<EffectEvent>][] =>
        row.sequence === null ? [] : [[row.key, { version: row.sequence, events: decodeEffect(row.structure, row.response) }]],
      );
      return new Map(found);
    },

    async commit(commit) {
      const rows = await commitStatement<{ key: string }>(pool, commit.id, { name: COMMIT_STATEMENT, text: COMMIT_SQL, values: valuesOf(commit) });
      return new Set(rows.map((row) => row.key));
    },

    async outcomeOf(commitId) {
      const [row] = await execute<{ members: string }>(pool, { name: 'tools-outcome-1', text: OUTCOME_SQL, values: [commitId] });
      return row ? new Set((JSON.parse(row.members) as [string, number][]).map(([key]) => key)) : undefined;
    },
  };
}

function valuesOf(commit: Commit<EffectState, EffectEvent, never>): unknown[] {
  // Sorted, so that two batches never lock rows in opposite orders.
  const decisions = [...commit.decisions].sort((left, right) => (left.key < right.key ? -1 : 1));
  const salts = randomBytes(16 * decisions.length);
  const rows = decisions.map((decided, index) => rowOf(commit.at, decided, salts.subarray(index * 16, index * 16 + 16)));
  return [
    commit.id,
    new Date(commit.at),
    rows.map((row) => row.tenant),
    decisions.map((decided) => decided.key),
    decisions.map((decided) => decided.sequence),
    rows.map((row) => row.subject.executionId),
    rows.map((row) => bucketOf(row.subject.executionId)),
    rows.map((row) => row.subject.pointer),
    rows.map((row) => row.subject.iteration),
    rows.map((row) => row.subject.generation),
    rows.map((row) => row.subject.tool),
    rows.map((row) => row.effect),
    decisions.map((decided) => decided.after.status),
    rows.map((row) => row.attempts),
    rows.map((row) => row.dispatchedAt),
    rows.map((row) => row.timeoutMs),
    rows.map((row) => row.structure),
    rows.map((row) => row.request ?? null),
    rows.map((row) => row.response ?? null),
    salts,
    Buffer.concat(rows.map((row) => row.payloadDigest)),
    Buffer.concat(rows.map((row) => row.digest)),
  ];
}

interface LedgerRow {
  readonly tenant: string;
  readonly subject: EffectSubject;
  readonly effect: string;
  readonly attempts: number;
  readonly dispatchedAt: Date;
  readonly timeoutMs: number;
  readonly structure: string;
  readonly request: string | undefined;
  readonly response: string | undefined;
  readonly payloadDigest: Buffer;
  readonly digest: Buffer;
}

function rowOf(at: number, decided: EffectDecided, salt: Uint8Array): LedgerRow {
  const { key, sequence, before, after, events } = decided;
  const tenant = tenantOfKey(key);
  const dispatched = events.find((event) => event.type === 'EffectDispatched');
  const attempt = 'attempt' in after ? after.attempt : 'attempt' in before ? before.attempt : undefined;
  invariant(attempt, `an effect is dispatched before anything else happens to it: ${key}`);
  const { structure, request, response } = encodeEffect(events);
  const digest = payloadDigest(salt, response ?? request ?? '');
  return {
    tenant,
    subject: dispatched?.subject ?? attempt.subject,
    effect: attempt.effect,
    attempts: attempt.attempt,
    dispatchedAt: new Date(attempt.dispatchedAt),
    timeoutMs: attempt.timeoutMs,
    structure,
    request,
    response,
    payloadDigest: digest,
    digest: memberDigest({ subject: key, tenant, sequence, at, structure, payloadDigest: digest }),
  };
}
