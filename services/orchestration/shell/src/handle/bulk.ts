// The same operation on every execution that a query means: a page of them is one batch of commands.
import { ExecutionQuery, type BulkPage, type BulkRefusal, type BulkRequest } from '@weft/contracts';
import { refuse, rejection } from '@weft/kernel';
import type { Operation } from '@weft/orchestration/core';
import { randomUUID } from 'node:crypto';
import type { ExecutionQueries } from '../query/execution-queries.js';
import { checkRecorded, operationNamed, type Answered, type Asked, type Operations } from './operations.js';

/** Executions that one call takes at most. */
export const BULK_PAGE_MAX = 500;
/** A dry run counts no further. */
export const BULK_COUNT_MAX = 1_000_000;
// Fork and reset each begin an execution: by the thousand that is hardly ever meant.
const IN_BULK: ReadonlySet<Operation> = new Set(['cancel', 'pause', 'resume', 'terminate', 'retry']);

export class Bulk {
  constructor(
    private readonly operations: Pick<Operations, 'operate'>,
    private readonly queries: Pick<ExecutionQueries, 'count' | 'ids'>,
  ) {}

  /**
   * Operates on a page of the executions that a query means, the newest first. What starts meanwhile is not among them. The same id
   * and cursor again is the same act: executions that took it before count as `already`. @throws Refused `request-invalid`.
   */
  async page(tenant: string, by: string, request: BulkRequest): Promise<BulkPage> {
    const operation = operationOf(request);
    const query = queryOf(request);
    const { reason, dryRun, cursor } = request;
    checkRecorded(request.bulkId, reason);
    if (request.limit > BULK_PAGE_MAX) refuse('request-invalid', `Expected at most ${BULK_PAGE_MAX} executions a page but got ${request.limit}.`);
    const bulkId = request.bulkId || randomUUID();
    if (dryRun) return { bulkId, matched: await this.queries.count(tenant, query, BULK_COUNT_MAX), done: 0, already: 0, refused: [], nextCursor: '' };
    const { ids, nextCursor } = await this.queries.ids(tenant, query, request.limit || BULK_PAGE_MAX, cursor);
    const answers = ids.length === 0 ? [] : await this.#answers(tenant, ids, { operation, id: bulkId, by, reason, task: '' });
    const changed = answers.filter((answer) => answer.ok && answer.changed).length;
    const refused = refusalsOf(ids, answers);
    return { bulkId, matched: ids.length, done: changed, already: answers.filter((answer) => answer.ok).length - changed, refused, nextCursor };
  }

  /** One that cannot be read keeps none of the others back. */
  async #answers(tenant: string, ids: readonly string[], asked: Asked): Promise<readonly Answered[]> {
    try {
      return await this.operations.operate(tenant, ids, asked);
    } catch (fault) {
      if (isRetryable(fault)) throw fault;
      if (ids.length === 1) return [{ ok: false, rejection: rejection('internal', `Expected an execution that can be decided on but ${fault instanceof Error ? fault.message : String(fault)}.`) }];
      const answers: Answered[] = [];
      // Told again, what was taken in the batch is a duplicate; that is rare, and counted as `already`.
      for (const id of ids) answers.push(...(await this.#answers(tenant, [id], asked)));
      return answers;
    }
  }
}

function operationOf(request: BulkRequest): Operation {
  const operation = operationNamed(request.operation);
  return IN_BULK.has(operation) ? operation : refuse('request-invalid', `Expected one of ${[...IN_BULK].join(', ')} for many executions but got ${operation}.`);
}

/** A query without a condition means everything, which is hardly ever what was wanted. */
function queryOf({ query }: BulkRequest): ExecutionQuery {
  const asked = ExecutionQuery.fromPartial(query ?? {});
  const isEmpty = Object.values(asked).every((value) => value === '' || value === 0 || (Array.isArray(value) && value.length === 0));
  return isEmpty ? refuse('request-invalid', 'Expected a query with at least one condition but it has none: it would mean every execution of the tenant.') : asked;
}

function refusalsOf(ids: readonly string[], answers: readonly Answered[]): BulkRefusal[] {
  const refusals = new Map<string, BulkRefusal>();
  answers.forEach((answer, at) => {
    if (answer.ok) return;
    const { code, message } = answer.rejection;
    const known = refusals.get(code);
    if (known) known.count++;
    else refusals.set(code, { code, count: 1, executionId: ids[at]!, message });
  });
  return [...refusals.values()];
}

const isRetryable = (fault: unknown): boolean => (fault as { readonly retryable?: boolean }).retryable === true;
