import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { OrchestrationPeer, Schedule } from '@weft/contracts';
import { refuse, type Json } from '@weft/kernel';
import { idempotencyKey } from '../answer/read-event.js';
import { linksOf } from '../answer/views.js';
import { bodyBytes, bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { ORCHESTRATION } from '../ports.js';

const OPERATIONS: ReadonlySet<string> = new Set(['pause', 'resume', 'trigger']);

@Controller('v1/schedules')
export class SchedulesController {
  constructor(@Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer) {}

  /** What starts workflows of the tenant by itself. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const { schedules } = await this.orchestration.listSchedules({ namespace: '', name: '' }, request.context);
    return { schedules: schedules.map(scheduleView) };
  }

  @Get(':namespace/:name')
  async get(@Param('namespace') namespace: string, @Param('name') name: string, @Req() request: KnownRequest): Promise<object> {
    const { schedules } = await this.orchestration.listSchedules({ namespace, name }, request.context);
    if (schedules.length === 0) refuse('not-found', `Expected a workflow with a schedule but ${JSON.stringify(`${namespace}/${name}`.slice(0, 200))} has none.`);
    return { schedules: schedules.map(scheduleView) };
  }

  /** Pauses, resumes or triggers: {reason?, input?}. With an Idempotency-Key, the same key again is the same trigger. */
  @Post(':namespace/:name/:operation')
  @HttpCode(200)
  async change(@Param('namespace') namespace: string, @Param('name') name: string, @Param('operation') operation: string, @Req() request: KnownRequest): Promise<object> {
    if (!OPERATIONS.has(operation)) refuse('not-found', `Expected an operation (${[...OPERATIONS].join(', ')}) but got ${JSON.stringify(operation.slice(0, 60))}.`);
    const body = bodyBytes(request).length === 0 ? {} : bodyObject(request, 'a change of a schedule');
    onlyFields(body, ['reason', 'input'], 'a change of a schedule');
    checkStorable(body, 'a change of a schedule');
    const inputJson = body['input'] === undefined ? '' : JSON.stringify(body['input']);
    const asked = { namespace, name, operation, reason: textField(body, 'reason', ''), operationId: idempotencyKey(request) ?? '', inputJson };
    const { schedules, executionId } = await this.orchestration.changeSchedule(asked, request.context);
    return { schedules: schedules.map(scheduleView), ...(executionId === '' ? {} : { executionId, links: linksOf(executionId) }) };
  }
}

const timeOf = (at: number): string | null => (at === 0 ? null : new Date(at).toISOString());

const scheduleView = ({ definition, kind, givenJson, isPaused, dueAtMs, startedAtMs, executionId, changedBy, changedAtMs, reason }: Schedule): object => ({
  workflow: definition ?? null,
  kind,
  schedule: JSON.parse(givenJson) as Json,
  paused: isPaused,
  dueAt: isPaused ? null : timeOf(dueAtMs),
  startedAt: timeOf(startedAtMs),
  ...(executionId === '' ? {} : { executionId }),
  ...(changedBy === '' ? {} : { changedBy, changedAt: timeOf(changedAtMs), reason }),
});
