// How soon a source is looked at again because it says that it has changed.

const WAIT_MS_MIN = 100;
const WAIT_MS_MAX = 60_000;

/**
 * Milliseconds from one look at a source to the next that it asks for by itself. `changes`: looks in a row that found something new.
 * Each difference is recorded for good, so a source that is never the same is looked at ever less; calls look for themselves.
 */
export function announcedWaitMs(changes: number): number {
  return Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 4 ** Math.min(changes, 16));
}
