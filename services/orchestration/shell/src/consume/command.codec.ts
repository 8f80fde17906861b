// Commands as they travel, read into what the core decides on.
import { contextOf, readEventObject, type ApprovalRequest, type Command, type Context } from '@weft/contracts';
import { PAYLOAD_BYTES_LIMIT } from '@weft/nest-platform';
import { isUuid, Refused, rejection, type Json, type Rejection } from '@weft/kernel';
import { payloadTooLarge } from '../payload-limit.js';
import { OPERATIONS, RETRY_DELAY_MAX_MS, type CommandOf, type EffectOutcome, type ExecutionCommand, type StartFacts } from '@weft/orchestration/core';
import { parentOf, readEndChild } from './child.codec.js';

/** A beginning at a task of another execution, whose history is still to be read. */
export type ForkCommand = Omit<CommandOf<'BeginFork'>, 'events'>;

export type CommandReading = { readonly ok: true; readonly command: ExecutionCommand } | { readonly ok: false; readonly rejection: Rejection };

/** Reads a wire command. An output above so many bytes fails its job with `payload-too-large`. It never throws: a malformed one comes back with its reason. */
export function readCommand(wire: Command, payloadBytesMax: number = PAYLOAD_BYTES_LIMIT): CommandReading {
  if (!isUuid(wire.executionId)) return malformed(`Expected execution_id to be a UUID but got ${JSON.stringify(wire.executionId)}.`);
  try {
    const command = bodyOf(wire, payloadBytesMax);
    return command
      ? { ok: true, command }
      : malformed('Expected one of start, stop_child, end_child, complete_job, fail_job, fire_timer, decide_review, receive_signal, a fork_from, or an operation but the command has none.');
  } catch (fault) {
    if (fault instanceof Refused) return { ok: false, rejection: fault.rejection };
    return malformed(`Expected JSON in the command's texts but ${fault instanceof Error ? fault.message : String(fault)}.`);
  }
}

function bodyOf(wire: Command, payloadBytesMax: number): ExecutionCommand | undefined {
  const tenant = wire.context?.tenant ?? '';
  const { start, stopChild, endChild, completeJob, failJob, fireTimer, decideReview, receiveSignal } = wire;
  if (completeJob) {
    const { jobId, generation, outputJson, evidenceJson, taint, usage } = completeJob;
    const tooLarge = payloadTooLarge('the output of a job', outputJson, payloadBytesMax);
    // What was done is done: the ledger answers whoever tries again, with the same output.
    if (tooLarge)
      return { type: 'FailJob', job: jobId, generation, failure: tooLarge, outcome: 'none', needsPerson: false, platform: false, attempt: wire.context?.attempt ?? 0, ...(usage ? { usage } : {}) };
    return { type: 'CompleteJob', job: jobId, generation, output: jsonOf(outputJson), taint, ...(evidenceJson === '' ? {} : { evidence: jsonOf(evidenceJson) }), ...(usage ? { usage } : {}) };
  }
  if (start) return { type: 'StartExecution', ...startFacts(wire, start) };
  if (stopChild) return { type: 'StopChild', ...startFacts(wire, stopChild) };
  if (endChild) return readEndChild(wire, endChild);
  if (failJob) {
    const { jobId, generation, failure, outcome, needsPerson, platform, evidenceJson, approvalRequest, usage, taint } = failJob;
    const { code = 'unknown', message = '', retryable = false, retryAfterMs = 0, detailsJson = '' } = failure ?? {};
    const details = detailsJson === '' ? {} : { details: jsonOf(detailsJson) as { readonly [key: string]: Json } };
    return {
      type: 'FailJob',
      job: jobId,
      generation,
      failure: { code, message, retryable, ...waitOf(retryAfterMs), ...details },
      outcome: outcomeOf(outcome),
      needsPerson,
      platform,
      attempt: wire.context?.attempt ?? 0,
      ...(evidenceJson === '' ? {} : { evidence: jsonOf(evidenceJson) }),
      ...(approvalRequest ? { approvalRequest: requestOf(approvalRequest) } : {}),
      ...(usage ? { usage } : {}),
      ...(taint.length > 0 ? { taint } : {}),
    };
  }
  if (fireTimer) return { type: 'FireTimer', timer: fireTimer.timerId };
  if (decideReview) {
    const { reviewId, outcome, comment, formJson, decidedBy, roles } = decideReview;
    return { type: 'DecideReview', tenant, review: reviewId, outcome, comment, form: jsonOf(formJson || 'null'), decidedBy, roles };
  }
  if (receiveSignal) {
    const { eventJson, isCorrelated, hops } = receiveSignal;
    return { ...signalCommand(eventJson, wire.context ?? contextOf({ tenant: '' }), isCorrelated), ...hopsOf(hops) };
  }
  return operationOf(wire, tenant);
}

function operationOf({ cancel, pause, resume, terminate, retryTask }: Command, tenant: string): ExecutionCommand | undefined {
  const asked = { cancel, pause, resume, terminate, retry: retryTask };
  for (const operation of OPERATIONS) {
    const given = operation in asked ? asked[operation as keyof typeof asked] : undefined;
    if (given) return { type: 'OperateExecution', tenant, operation, id: given.id, by: given.by, reason: given.reason };
  }
  return undefined;
}

/** Reads the beginning of a fork; undefined when the command is another, or names no execution to begin or to come from. */
export function readFork({ executionId, forkFrom }: Command): ForkCommand | undefined {
  if (!forkFrom || !isUuid(executionId) || !isUuid(forkFrom.executionId)) return undefined;
  const { executionId: execution, version, key, operationId: operation, kind, by, reason } = forkFrom;
  return { type: 'BeginFork', executionId, from: { execution, version, key, operation, kind: kind === 'reset' ? 'reset' : 'fork', by }, reason };
}

/** The command that gives an event to an execution. What it says came from outside: it is labelled so. @throws Refused `request-invalid`; SyntaxError when it is no JSON. */
export function signalCommand(eventJson: string, { tenant, taint }: Context, isCorrelated: boolean): CommandOf<'ReceiveSignal'> {
  const reading = readEventObject(jsonOf(eventJson));
  if (!reading.ok) throw new Refused(reading.rejection);
  const { id, source, type, attributes, data } = reading.event;
  return { type: 'ReceiveSignal', tenant, source, id, eventType: type, event: { ...attributes, data }, taint: [...new Set([...taint, `event:${source}`])], isCorrelated };
}

function startFacts(wire: Command, start: NonNullable<Command['start']>): StartFacts {
  const { context } = wire;
  const { requestSource, requestId, requestType, definition, inputJson, models, parent, hops } = start;
  if (!context || context.tenant === '' || !definition) throw new Error('a start names no tenant or no definition');
  const { tenant, actor, purpose, traceparent, tracestate, deadlineMs, budget } = context;
  return {
    executionId: wire.executionId,
    definition: { ...definition },
    request: { source: requestSource, id: requestId, type: requestType },
    context: { tenant, actor, purpose, traceparent, tracestate, deadlineMs, ...(budget ? { budget } : {}) },
    taint: context.taint,
    models,
    input: jsonOf(inputJson),
    ...(parent ? { parent: parentOf(parent) } : {}),
    ...hopsOf(hops),
  };
}

function requestOf({ digest, title, subjectJson, reasons }: ApprovalRequest): NonNullable<CommandOf<'FailJob'>['approvalRequest']> {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`an approval is asked for without the digest of what is to be approved: ${JSON.stringify(digest.slice(0, 80))}`);
  return { digest, title: title || 'Approve this action?', subject: jsonOf(subjectJson || 'null'), reasons };
}

const jsonOf = (text: string): Json => JSON.parse(text) as Json;

const hopsOf = (hops: number): { readonly hops?: number } => (hops > 0 ? { hops } : {});

// A worker of someone else's making may tell anything: more than the longest wait is as good as that.
const waitOf = (ms: number): { readonly retryAfterMs?: number } => (ms > 0 ? { retryAfterMs: Math.ceil(Math.min(ms, RETRY_DELAY_MAX_MS)) } : {});

const outcomeOf = (text: string): EffectOutcome => (text === 'failed' || text === 'unknown' ? text : 'none');

const malformed = (message: string): CommandReading => ({ ok: false, rejection: rejection('message-invalid', message) });
