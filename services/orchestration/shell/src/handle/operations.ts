// Operations on executions, one or many of a tenant: from what was asked to what became of it.
import { refuse, uuidv7, type Rejection } from '@weft/kernel';
import { forkPointOf, isOperation, OPERATIONS, type CommandOf, type ExecutionEvent, type Operation, type RecordedEvents } from '@weft/orchestration/core';
import type { Clock, Item, Outcome } from '@weft/pipeline';
import { randomBytes } from 'node:crypto';
import type { ExecutionQueries } from '../query/execution-queries.js';
import type { ExecutionEngine } from './execution-engine.js';

/** What is asked of executions: the same of each. */
export interface Asked {
  readonly operation: Operation;
  /** Names the operation: told again for the same execution, it is the same one. */
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  /** Of fork and reset: the task to start from, '' = the one that the execution faulted at. */
  readonly task: string;
}

/** What became of it for one execution. */
export type Answered = { readonly ok: true; readonly changed: boolean; readonly newExecutionId: string } | { readonly ok: false; readonly rejection: Rejection };

type OperateCommand = CommandOf<'OperateExecution'>;

const REASON_CHARACTERS_MAX = 1_000;
const ID_CHARACTERS_MAX = 255;

/** The operation of a name. @throws Refused `request-invalid`. */
export const operationNamed = (text: string): Operation =>
  isOperation(text) ? text : refuse('request-invalid', `Expected one of ${OPERATIONS.join(', ')} but got ${JSON.stringify(text.slice(0, 60))}.`);

/** What is recorded of an operation for ever has bounds, whichever door it came in by. @throws Refused `request-invalid`. */
export function checkRecorded(id: string, reason: string): void {
  if (reason.length > REASON_CHARACTERS_MAX) refuse('request-invalid', `Expected a reason of at most ${REASON_CHARACTERS_MAX} characters but it has ${reason.length}.`);
  if (id.length > ID_CHARACTERS_MAX || id.includes('\0')) refuse('request-invalid', `Expected an id of at most ${ID_CHARACTERS_MAX} characters without NUL.`);
}

export class Operations {
  constructor(
    private readonly engine: ExecutionEngine,
    private readonly queries: ExecutionQueries,
    private readonly clock: Clock,
  ) {}

  /** Does the same with each of these executions, which must be the tenant's. Answers are in their order. */
  async operate(tenant: string, executions: readonly string[], asked: Asked): Promise<readonly Answered[]> {
    const { operation, id, by, reason } = asked;
    const command: OperateCommand = { type: 'OperateExecution', tenant, operation, id, by, reason };
    if (operation === 'fork' || operation === 'reset') {
      const answers: Answered[] = [];
      // Each reads the history that it starts from: one after the other keeps only one in memory.
      for (const execution of executions) answers.push(await this.#fork(tenant, execution, command, asked.task));
      return answers;
    }
    const outcomes = await this.engine.submit(executions.map((execution) => item(execution, command)));
    return outcomes.map((outcome) => answerOf(outcome, ''));
  }

  async #fork(tenant: string, execution: string, command: OperateCommand, task: string): Promise<Answered> {
    const rows = (await this.queries.history(tenant, execution)) ?? [];
    const before = forkOf(rows, command);
    if (before) return { ok: true, changed: false, newExecutionId: before.execution };
    const reading = forkPointOf(rows, task);
    if (!reading.ok) return reading;
    const newExecutionId = uuidv7(this.clock.now(), randomBytes(10));
    const [outcome] = await this.engine.submit([item(execution, { ...command, fork: { ...reading.point, execution: newExecutionId } })]);
    if (outcome?.kind === 'ignored') {
      // Another call with the same id was first.
      const rival = forkOf((await this.queries.history(tenant, execution)) ?? [], command);
      return { ok: true, changed: false, newExecutionId: rival?.execution ?? '' };
    }
    const answer = answerOf(outcome!, newExecutionId);
    if (answer.ok) await this.#begin(rows, execution, newExecutionId, command, reading.point);
    return answer;
  }

  /** The commit of the decision sends the same command; begun here, the new execution is there when the caller asks for it. */
  async #begin(
    rows: readonly RecordedEvents[],
    execution: string,
    executionId: string,
    { operation, id, by, reason }: OperateCommand,
    point: { readonly version: number; readonly key: string },
  ): Promise<void> {
    const kind = operation === 'reset' ? 'reset' : 'fork';
    const events = rows.flatMap((row) => (row.sequence <= point.version ? row.events : []));
    const command = { type: 'BeginFork', executionId, from: { execution, ...point, operation: id, kind, by }, reason, events } as const;
    await this.engine.submit([{ key: executionId, command, messageId: `operate/${id}/${executionId}` }]);
  }
}

const item = (execution: string, command: OperateCommand): Item<OperateCommand> => ({ key: execution, command, messageId: `operate/${command.id}` });

function answerOf(outcome: Outcome, newExecutionId: string): Answered {
  if (outcome.kind === 'setAside') throw outcome.fault;
  return outcome.kind === 'rejected' ? { ok: false, rejection: outcome.rejection } : { ok: true, changed: outcome.kind === 'accepted', newExecutionId };
}

type Forked = Extract<ExecutionEvent, { type: 'ExecutionForked' }>;
const isForked = (event: ExecutionEvent): event is Forked => event.type === 'ExecutionForked';

const forkOf = (rows: readonly RecordedEvents[], { id, operation }: OperateCommand): Forked | undefined =>
  rows
    .flatMap(({ events }) => events)
    .filter(isForked)
    .find((event) => event.operation === id && event.kind === operation);
