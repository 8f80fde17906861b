// Requests as routing stores them: one row under (tenant, source, id), which names its execution for ever.
import type { Instant, Json } from '@weft/kernel';
import { CommitRows } from './commit-rows.js';
import { TENANT } from './execution-table.js';

export interface RequestRow {
  readonly name: string;
  readonly type: string;
  readonly data: Json;
  readonly execution: string;
  readonly status: 'accepted' | 'refused';
  /** Name of the workflow that was chosen; '' when refused. */
  readonly workflow: string;
  redeliverAt: Instant | undefined;
  deliveries: number;
}

const FIRST_MS = 1_000;
const MAX_MS = 16_000;

export class RequestTable {
  readonly rows = new Map<string, RequestRow>();
  readonly commits = new CommitRows('routing');
  awayUntil: Instant = 0;

  /** Writes requests whose names are free, in one act. @returns the executions that won. */
  write(commitId: string, at: Instant, requests: readonly Omit<RequestRow, 'redeliverAt' | 'deliveries'>[], isTaken: (isStored: boolean) => boolean): ReadonlySet<string> {
    const won = new Set<string>();
    for (const request of requests) {
      if (isTaken(this.rows.has(request.name))) continue;
      this.rows.set(request.name, { ...request, redeliverAt: at + FIRST_MS, deliveries: 0 });
      won.add(request.execution);
    }
    const members = [...won].map((execution) => ({ subject: `request/${execution}`, sequence: 0, structure: '{}', payload: '{}' }));
    this.commits.add(commitId, at, TENANT, members, true);
    return won;
  }

  settle(executions: ReadonlySet<string>): void {
    for (const row of this.rows.values()) if (executions.has(row.execution)) row.redeliverAt = undefined;
  }

  /** Takes requests that are due; each is due again after twice the wait. */
  claimDue(now: Instant): readonly RequestRow[] {
    const due = [...this.rows.values()].filter(({ redeliverAt }) => redeliverAt !== undefined && redeliverAt <= now);
    for (const row of due) row.redeliverAt = now + Math.min(MAX_MS, FIRST_MS * 2 ** ++row.deliveries);
    return due;
  }
}
