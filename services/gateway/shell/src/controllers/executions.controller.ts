import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { Accepted, AuditPeer, Context, OrchestrationPeer, RoutingPeer } from '@weft/contracts';
import { isUuid, refuse, Refused } from '@weft/kernel';
import { Shutdown } from '@weft/nest-platform';
import type { Response } from 'express';
import { randomUUID } from 'node:crypto';
import { idempotencyKey } from '../answer/read-event.js';
import { leaving } from '../answer/leaving.js';
import { streamTimeline } from '../answer/stream-timeline.js';
import { acceptedView, executionView, linksOf, memberView, operatedView, routeView, timelineView } from '../answer/views.js';
import { bodyBytes, bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { bulkOf } from '../http/bulk-request.js';
import { executionQueryOf } from '../http/execution-query.js';
import { pageOf, queryInteger } from '../http/query.js';
import { AUDIT, ORCHESTRATION, ROUTING } from '../ports.js';

const OPERATIONS: ReadonlySet<string> = new Set(['cancel', 'pause', 'resume', 'terminate', 'retry', 'fork', 'reset']);
const REASON_CHARACTERS_MAX = 1_000;

@Controller('v1/executions')
export class ExecutionsController {
  constructor(
    @Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer,
    @Inject(ROUTING) private readonly routing: RoutingPeer,
    @Inject(AUDIT) private readonly audit: AuditPeer,
    @Inject(Shutdown) private readonly shutdown: Shutdown,
  ) {}

  /** Executions of the tenant that a query means, the newest first. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const query = executionQueryOf(request);
    const { executions, nextCursor } = await this.orchestration.listExecutions({ page: pageOf(request), status: query.status, query }, request.context);
    return { executions: executions.map(executionView), nextCursor };
  }

  /** One execution; `accepted` until orchestration has begun it. */
  @Get(':id')
  async get(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    const found = await this.#begunOrAccepted(id, request.context, () => this.orchestration.getExecution({ executionId: id }, request.context));
    return { ...('begun' in found ? executionView(found.begun) : acceptedView(found.accepted)), links: linksOf(id) };
  }

  /** What happened so far, for people. */
  @Get(':id/timeline')
  async timeline(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    const afterVersion = queryInteger(request, 'after', { min: -1, max: 2 ** 31 - 1, byDefault: -1 });
    const found = await this.#begunOrAccepted(id, request.context, () => this.orchestration.getTimeline({ executionId: id, afterVersion }, request.context));
    return 'begun' in found ? timelineView(found.begun) : { executionId: id, status: 'accepted', version: 0, entries: [] };
  }

  /** The timeline as it grows, as server-sent events: `entry` for each, `end` when the execution has ended. */
  @Get(':id/events')
  async events(@Param('id') id: string, @Req() request: KnownRequest, @Res() response: Response): Promise<void> {
    const last = request.get('last-event-id') ?? '';
    if (!/^\d{0,9}$/.test(last)) refuse('request-invalid', `Expected Last-Event-ID to be the id of an event of this stream but got ${JSON.stringify(last.slice(0, 60))}.`);
    const ask = (afterVersion: number) => this.orchestration.getTimeline({ executionId: id, afterVersion }, request.context);
    // Asked before the stream begins: an execution that is not this tenant's is answered by 404.
    await this.#begunOrAccepted(id, request.context, () => ask(2 ** 31 - 1));
    const signal = AbortSignal.any([leaving(response), this.shutdown.signal]);
    await streamTimeline(response, ask, last === '' ? -1 : Number(last), signal);
  }

  /** Why this workflow and these models: what routing chose and what it did not. */
  @Get(':id/route')
  async route(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    const { selection, acceptedAtMs } = await this.#accepted(id, request.context);
    return { executionId: id, acceptedAt: new Date(acceptedAtMs).toISOString(), route: selection ? routeView(selection) : null };
  }

  /** Proofs that the execution's decisions are in the audit log. */
  @Get(':id/proof')
  async proof(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    // The log answers for all tenants: whose execution it is, routing knows.
    await this.#begunOrAccepted(id, request.context, () => this.orchestration.getExecution({ executionId: id }, request.context));
    const { proofs, checkpoint, pending } = await this.audit.proveExecution({ executionId: id }, request.context);
    return {
      executionId: id,
      proofs: proofs.map(({ sequence, leafIndex, treeSize, proofJson }) => ({ sequence, leafIndex, treeSize, proof: JSON.parse(proofJson) as unknown })),
      checkpoint: checkpoint ?? null,
      pending,
    };
  }

  /** Each decision with everything that its digest in the audit log covers: what an offline verifier starts from. */
  @Get(':id/members')
  async members(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    await this.#begunOrAccepted(id, request.context, () => this.orchestration.getExecution({ executionId: id }, request.context));
    const { members } = await this.orchestration.getMembers({ executionId: id }, request.context);
    return { executionId: id, members: members.map(memberView) };
  }

  /**
   * The same operation on every execution that a query means, a page of them a call. The same `id` and `cursor` again is the same
   * act; with `dryRun` nothing is done and all that match are counted.
   */
  @Post('bulk')
  @HttpCode(200)
  async bulk(@Req() request: KnownRequest): Promise<object> {
    const body = bodyObject(request, 'a bulk operation');
    checkStorable(body, 'a bulk operation');
    return this.orchestration.operateMany(bulkOf(body, idempotencyKey(request)), request.context);
  }

  /**
   * Cancels, pauses, resumes, terminates, retries, forks or resets: {reason?, task?}. With an Idempotency-Key, the same key again
   * is the same operation. 409 where the status does not allow it.
   */
  @Post(':id/:operation')
  @HttpCode(200)
  async operate(@Param('id') id: string, @Param('operation') operation: string, @Req() request: KnownRequest): Promise<object> {
    if (!OPERATIONS.has(operation)) refuse('not-found', `Expected an operation (${[...OPERATIONS].join(', ')}) but got ${JSON.stringify(operation.slice(0, 60))}.`);
    const body = bodyBytes(request).length === 0 ? {} : bodyObject(request, 'an operation');
    onlyFields(body, ['reason', 'task'], 'an operation');
    checkStorable(body, 'an operation');
    const [reason, task] = [textField(body, 'reason', ''), textField(body, 'task', '')];
    if (reason.length > REASON_CHARACTERS_MAX) refuse('request-invalid', `Expected a reason of at most ${REASON_CHARACTERS_MAX} characters but it has ${reason.length}.`);
    // Named here: a replica that does not answer may have taken it, and another one is asked the same.
    const asked = { executionId: id, operation, operationId: idempotencyKey(request) ?? randomUUID(), reason, task };
    const found = await this.#begunOrAccepted(id, request.context, () => this.orchestration.operate(asked, request.context));
    if (!('begun' in found)) refuse('unavailable', `Expected an execution that has begun but ${id} is only accepted so far: ask again in a moment.`, { retryable: true, retryAfterMs: 1_000 });
    return operatedView(found.begun);
  }

  /** Orchestration's answer, or what routing accepted while orchestration does not know the execution yet. */
  async #begunOrAccepted<T>(id: string, context: Context, ask: () => Promise<T>): Promise<{ readonly begun: T } | { readonly accepted: Accepted }> {
    if (!isUuid(id)) unknown(id);
    try {
      return { begun: await ask() };
    } catch (thrown) {
      if (!isUnknown(thrown)) throw thrown;
      return { accepted: await this.#accepted(id, context) };
    }
  }

  async #accepted(id: string, context: Context): Promise<Accepted> {
    if (!isUuid(id)) unknown(id);
    try {
      return await this.routing.getSelection({ executionId: id }, context);
    } catch (thrown) {
      return isUnknown(thrown) ? unknown(id) : Promise.reject(thrown as Error);
    }
  }
}

const isUnknown = (thrown: unknown): boolean => thrown instanceof Refused && ['not-found', 'unknown-execution'].includes(thrown.rejection.code);

// The same for what does not exist and for what belongs to another tenant.
const unknown = (id: string): never => refuse('unknown-execution', `Expected the id of an execution of this tenant but ${JSON.stringify(id.slice(0, 60))} is none.`);
