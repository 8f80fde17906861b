import { dropChildren } from '../child/child.evolve.js';
import { behavesBy, DROPPED_ATTEMPTS } from '../upgrade/engine-flags.js';
import type { ActivationKey } from './execution.events.js';
import type { ExecutionDraft } from './execution.draft.js';
import type { Activation, ExecutionState } from './execution.state.js';

interface Keyed {
  readonly key: ActivationKey;
}

type HeldStep = NonNullable<ExecutionState['held']>[number];

/** Everything below an activation ends with it: its tasks, and what they waited for. */
export function removeBelow(draft: ExecutionDraft, key: ActivationKey, withItself = false): void {
  const { activations } = draft.state;
  const isBelow = (candidate: Activation): boolean => {
    for (let parent = candidate.parent; parent !== undefined; parent = activations[parent]?.parent) if (parent === key) return true;
    return false;
  };
  const gone = new Set(
    Object.values(activations)
      .filter(isBelow)
      .map((below) => below.key),
  );
  if (withItself) gone.add(key);
  const isGone = (entry: Keyed): boolean => gone.has(entry.key);
  dropWaits(draft, isGone);
  draft.removeWhere('activations', isGone);
  dropHeld(draft, gone);
}

/** Everything that an activation itself waits for: it begins anew. */
export function removeWaits(draft: ExecutionDraft, key: ActivationKey): void {
  dropWaits(draft, (entry) => entry.key === key);
}

function dropWaits(draft: ExecutionDraft, isGone: (entry: Keyed) => boolean): void {
  dropChildren(draft, isGone);
  // The worker may still be at it: what it tells of that attempt must not be taken for the next one's.
  if (behavesBy(draft.state, DROPPED_ATTEMPTS)) for (const job of Object.values(draft.state.jobs)) if (isGone(job)) draft.put('attempts', job.id, job.attempt);
  for (const part of ['jobs', 'timers', 'reviews', 'listens', 'branches'] as const) draft.removeWhere(part, isGone);
}

/** What an attempt of a `try` had begun is over: what is below it, its time limit, and where it would have gone on. */
export function removeAttempt(draft: ExecutionDraft, key: ActivationKey): void {
  removeBelow(draft, key);
  draft.removeWhere('timers', (timer) => timer.key === key && timer.purpose === 'attempt');
  dropHeld(draft, new Set([key]));
}

function dropHeld(draft: ExecutionDraft, gone: ReadonlySet<ActivationKey>): void {
  const isGone = (step: HeldStep): boolean => gone.has('scope' in step ? step.scope : step.key);
  const { held } = draft.state;
  if (held?.some(isGone)) draft.set({ held: held.filter((step) => !isGone(step)) });
}
