// Which events an execution has had: each counts once.
import type { ExecutionDraft } from '../execution/execution.draft.js';
import { signalKey, type ExecutionState } from '../execution/execution.state.js';

/** Events in one part of what is remembered: what a decision copies. */
export const RECEIVED_PART = 128;
/** Parts that are remembered beside the newest one: about five thousand events. */
export const RECEIVED_PARTS_MAX = 40;

/** Whether an event has come before, among the ones that are remembered. */
export function hasReceived({ received, receivedBefore = [] }: ExecutionState, signal: { readonly source: string; readonly id: string }): boolean {
  const key = signalKey(signal);
  return received[key] === true || receivedBefore.some((part) => part[key] === true);
}

/** Remembers one more. A part that is full is left as it is, so that the next decisions copy a new one; the oldest are forgotten. */
export function remember(draft: ExecutionDraft, key: string): void {
  const { received, receivedBefore = [] } = draft.state;
  if (Object.keys(received).length >= RECEIVED_PART) draft.set({ received: {}, receivedBefore: [...receivedBefore, received].slice(-RECEIVED_PARTS_MAX) });
  draft.put('received', key, true);
}
