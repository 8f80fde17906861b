import { rejection, type DecideContext } from '@weft/kernel';
import { Advance, type Step } from '../../interpreter/advance.js';
import { isFull, takeAwaited, takingOf, type Taking } from '../../interpreter/listen.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, SIGNALS_KEPT_MAX, signalKey, type ExecutionState, type KeptSignal } from '../execution.state.js';

/**
 * Takes an event from outside, once by source and id. The first open `listen` that it fits takes it; one that comes before its
 * `listen` is kept, oldest first, unless it was only found by what it carries.
 * Rejections: `execution-ended`, `too-many-signals`.
 */
export function receiveSignal(state: ExecutionState, command: CommandOf<'ReceiveSignal'>, context: DecideContext, programs: Programs): ExecutionDecision {
  if (state.received[signalKey(command)]) return { kind: 'ignored', reason: 'duplicate' };
  if (isEnded(state)) return { kind: 'rejected', rejection: rejection('execution-ended', `Expected an execution that goes on but it is ${state.status}.`) };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const { source, id, eventType, event, taint } = command;
  const signal = { source, id, eventType, event };
  const taking = takingOf(advance, signal);
  if (!taking && command.isCorrelated) return { kind: 'ignored', reason: 'stale' };
  const isKept = !taking || taking.how === 'queue';
  if (isKept && isFull(advance))
    return {
      kind: 'rejected',
      rejection: rejection('too-many-signals', `Expected an execution that keeps fewer than ${SIGNALS_KEPT_MAX} events for listens it has not reached but it keeps ${SIGNALS_KEPT_MAX}.`, {
        retryable: true,
      }),
    };
  advance.record({ type: 'SignalReceived', ...signal, ...(taint.length > 0 ? { taint } : {}) });
  return advance.finish(taking && stepOf(advance, taking, signal));
}

function stepOf(advance: Advance, taking: Taking, signal: KeptSignal): Step {
  if (taking.how === 'queue') return undefined;
  return taking.how === 'last' ? takeAwaited(advance, taking.listen, signal) : { go: 'hear', key: taking.listen.key };
}
