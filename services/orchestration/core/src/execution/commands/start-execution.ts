import type { DecideContext } from '@weft/kernel';
import { beginWorkflow } from '../../interpreter/begin.js';
import { Advance } from '../../interpreter/advance.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { ExecutionState } from '../execution.state.js';

/** Starts the execution at the first task of its definition. A second start is a duplicate. */
export function startExecution(state: ExecutionState, command: CommandOf<'StartExecution'>, context: DecideContext, programs: Programs): ExecutionDecision {
  if (state.status !== 'none') return { kind: 'ignored', reason: 'duplicate' };
  const { type: _type, ...facts } = command;
  const program = programs(command.definition.digest);
  const advance = new Advance(state, program, context);
  advance.record({ type: 'ExecutionStarted', at: context.now, ...facts });
  return advance.finish(beginWorkflow(advance));
}
