import type { DecideContext } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import { afterChild, isOutputWanted } from '../../interpreter/children.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState } from '../execution.state.js';

/** Takes the end of a child, once: of one that nobody waits for any more, and told again, it changes nothing. */
export function endChild(state: ExecutionState, command: CommandOf<'EndChild'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const child = state.children?.[command.child];
  if (isEnded(state) || !child) return { kind: 'ignored', reason: 'duplicate' };
  const { status, output, error, taint } = command;
  const advance = new Advance(state, programs(state.definition.digest), context);
  advance.record({
    type: 'ChildEnded',
    key: child.key,
    child: child.id,
    ...(child.item === undefined ? {} : { item: child.item }),
    status,
    ...(taint.length > 0 ? { taint } : {}),
    ...(output === undefined || !isOutputWanted(advance, child) ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  });
  return advance.finish(afterChild(advance, child, command));
}
