import { rejection } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { contextOf } from './context.js';
import { Command, type Job } from './generated/weft/v1/jobs.js';
import { completedCommand, failedCommand } from './job-report.js';

const EXECUTION = '01890000-0000-7000-8000-000000000001';
const job: Job = {
  id: `${EXECUTION}/do/0/ask`,
  executionId: EXECUTION,
  context: contextOf({ tenant: 'default', executionId: EXECUTION, attempt: 3, taint: ['http:example'] }),
  kind: 'recall',
  generation: 2,
  idempotencyKey: '',
  pointer: '/do/0/ask',
  iteration: '',
  inputJson: '{}',
  models: [],
  settlement: undefined,
  workflow: 'acme/x:1.0.0',
  approvals: [],
  agent: '',
};
const overTheWire = (command: Command): Command => Command.decode(Command.encode(command).finish());

describe('completedCommand', () => {
  it('carries the output and what it is tainted by to the job, in its own context', () => {
    const command = completedCommand(job, { items: [] }, ['model:x']);
    expect(overTheWire(command)).toMatchObject({
      id: `${job.id}/2/completed`,
      executionId: EXECUTION,
      context: job.context,
      completeJob: { jobId: job.id, generation: 2, outputJson: '{"items":[]}', evidenceJson: '', taint: ['model:x'] },
    });
    expect(completedCommand(job, null).completeJob).toMatchObject({ outputJson: 'null', taint: [] });
  });
});

describe('failedCommand', () => {
  it('keeps every field of the failure', () => {
    const command = failedCommand(job, rejection('timeout', 'Expected an answer but none came.', { retryable: true, retryAfterMs: 500, details: { pointer: '/a' } }));
    expect(overTheWire(command)).toMatchObject({
      id: `${job.id}/2/failed`,
      context: job.context,
      failJob: {
        jobId: job.id,
        generation: 2,
        failure: { code: 'timeout', message: 'Expected an answer but none came.', retryable: true, retryAfterMs: 500, detailsJson: '{"pointer":"/a"}' },
        outcome: 'none',
        needsPerson: false,
        platform: false,
      },
    });
    expect(failedCommand(job, rejection('input-invalid', 'x')).failJob?.failure).toMatchObject({ retryable: false, retryAfterMs: 0, detailsJson: '' });
  });

  it('reports a job that has no context', () => {
    expect(failedCommand({ ...job, context: undefined }, rejection('input-invalid', 'x')).context).toEqual(contextOf({ tenant: '' }));
  });
});
