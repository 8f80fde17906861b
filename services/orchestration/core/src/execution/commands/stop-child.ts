import { accepted, type DecideContext, type Json } from '@weft/kernel';
import { CANCELLED } from '@weft/workflow';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState } from '../execution.state.js';
import { operateExecution } from './operate-execution.js';

/**
 * Ends a child that nobody waits for any more: a cancel, so that its handlers run. One that has not begun is ended before it does:
 * its start, which comes late, is then a duplicate.
 */
export function stopChild(state: ExecutionState, command: CommandOf<'StopChild'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const { type: _type, ...facts } = command;
  const by = `execution:${command.parent?.execution ?? ''}`;
  if (state.status === 'none') {
    const error: Json = { type: CANCELLED.type, status: CANCELLED.status, title: 'cancelled', instance: '/', detail: REASON };
    return accepted([
      { type: 'ExecutionStarted', at: context.now, ...facts },
      { type: 'ExecutionCancelled', at: context.now, by, error },
    ]);
  }
  if (isEnded(state) || state.parent?.execution !== command.parent?.execution) return { kind: 'ignored', reason: 'duplicate' };
  return operateExecution(state, { type: 'OperateExecution', tenant: command.context.tenant, operation: 'cancel', id: `stop/${by}`, by, reason: REASON }, context, programs);
}

const REASON = 'The execution that started it does not wait for it any more.';
