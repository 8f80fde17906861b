// The quarantine of tools: a definition is offered, then accepted or rejected, each by its digest.
import { accepted, assertNever, rejection, type DecideContext, type Decider, type Decision } from '@weft/kernel';
import type { PinCommand, PinEvent } from './pin.events.js';
import { initialPin, type PinState } from './pin.state.js';

export type PinOutcome = Decision<PinEvent, never>;

/** Decides about the pin of one tool. Rejection codes: `unknown-tool`, `tool-changed`. */
export function decidePin(state: PinState, command: PinCommand, { now }: DecideContext): PinOutcome {
  switch (command.type) {
    case 'OfferTool':
      if (state.offer?.digest === command.digest) return { kind: 'ignored', reason: 'duplicate' };
      return accepted([{ type: 'ToolOffered', at: now, digest: command.digest, definition: command.definition }]);
    case 'AcceptTool':
    case 'RejectTool': {
      const { digest, by, reason } = command;
      if (!state.offer) return { kind: 'rejected', rejection: rejection('unknown-tool', 'Expected a tool that a source offers but none of this name was ever offered.') };
      if (state.offer.digest !== digest) {
        return {
          kind: 'rejected',
          rejection: rejection('tool-changed', `Expected a decision about the definition that is offered now (${state.offer.digest}) but it is about ${digest}: look at the difference again.`, {
            details: { offered: state.offer.digest },
          }),
        };
      }
      const type = command.type === 'AcceptTool' ? 'ToolAccepted' : 'ToolRejected';
      const standing = type === 'ToolAccepted' ? state.accepted : state.rejected;
      return standing?.digest === digest ? { kind: 'ignored', reason: 'duplicate' } : accepted([{ type, at: now, digest, by, reason }]);
    }
    default:
      return assertNever(command, 'pin command');
  }
}

/** Folds one event: the only place where a pin changes. A decision takes back the opposite one about the same definition. */
export function evolvePin(state: PinState, event: PinEvent): PinState {
  if (event.type === 'ToolOffered') return { ...state, offer: { digest: event.digest, definition: event.definition, at: event.at } };
  const { type: _type, ...decided } = event;
  const definition = state.offer?.definition;
  if (!definition) return state;
  const decision = { ...decided, definition };
  const { accepted: allowed, rejected: refused, ...rest } = state;
  if (event.type === 'ToolAccepted') return { ...rest, accepted: decision, ...(refused && refused.digest !== event.digest ? { rejected: refused } : {}) };
  return { ...rest, rejected: decision, ...(allowed && allowed.digest !== event.digest ? { accepted: allowed } : {}) };
}

export const pinDecider: Decider<PinState, PinCommand, PinEvent, never> = { initial: initialPin, decide: decidePin, evolve: evolvePin };
