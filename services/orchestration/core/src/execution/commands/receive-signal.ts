import { rejection, type DecideContext } from '@weft/kernel';
import { Advance, type Step } from '../../interpreter/advance.js';
import { takeAwaited, takingOf, type Taking } from '../../interpreter/listen.js';
import { keep, subscribedBy } from '../../signal/keep.js';
import { EARLY_EVENTS } from '../../upgrade/engine-flags.js';
import { hasReceived } from '../../signal/received.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, SIGNALS_KEPT_MAX, SIGNALS_KEPT_SIZE_MAX, type ExecutionState, type KeptSignal } from '../execution.state.js';

/**
 * Takes an event from outside, once by source and id. The first open `listen` that it fits takes it. One that comes before its
 * `listen` is kept, oldest first: when it was sent to this execution, or is one that the execution has subscribed to.
 * Rejections: `execution-ended`, `too-many-signals`.
 */
export function receiveSignal(state: ExecutionState, command: CommandOf<'ReceiveSignal'>, context: DecideContext, programs: Programs): ExecutionDecision {
  if (hasReceived(state, command)) return { kind: 'ignored', reason: 'duplicate' };
  if (isEnded(state)) return { kind: 'rejected', rejection: rejection('execution-ended', `Expected an execution that goes on but it is ${state.status}.`) };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const { source, id, eventType, event, taint, hops = 0 } = command;
  const signal = { source, id, eventType, event };
  const taking = takingOf(advance, signal);
  const why = taking || !command.isCorrelated ? 'address' : subscribedBy(state, signal);
  if (!why) return { kind: 'ignored', reason: 'stale' };
  // While it is suspended nothing that goes on takes any: they wait in line.
  const isKept = !taking || taking.how === 'queue' || (taking.how === 'hear' && state.status === 'suspended');
  const keeping = isKept ? keep(state, signal, why, advance.has(EARLY_EVENTS)) : {};
  if (!keeping) return { kind: 'rejected', rejection: TOO_MANY };
  advance.record({ type: 'SignalReceived', ...signal, ...keeping, ...(taint.length > 0 ? { taint } : {}), ...(hops > 0 ? { hops } : {}) });
  return advance.finish(taking && stepOf(advance, taking, signal));
}

const TOO_MANY = rejection(
  'too-many-signals',
  `Expected an execution that keeps fewer than ${SIGNALS_KEPT_MAX} events for listens it has not reached, and at most ${SIGNALS_KEPT_SIZE_MAX} characters of them, but it keeps too many.`,
  { retryable: true },
);

function stepOf(advance: Advance, taking: Taking, signal: KeptSignal): Step {
  if (taking.how === 'queue') return undefined;
  return taking.how === 'last' ? takeAwaited(advance, taking.listen, signal) : { go: 'hear', key: taking.listen.key };
}
