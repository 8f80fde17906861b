// A timeline as server-sent events. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { Timeline, TimelineEntry } from '@weft/contracts';
import { Refused } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import type { Response } from 'express';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryView } from './views.js';

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 1_000;
const HEARTBEAT_MS = 15_000;
const ENDED: ReadonlySet<string> = new Set(['completed', 'faulted', 'cancelled']);

/**
 * Streams entries after a version as they come, and ends with the execution. An event's id is the version up to which the
 * reader has seen everything, so a reader that comes back with it misses nothing and sees nothing twice.
 * @param signal ends the stream early: the reader left, or the process shuts down.
 */
export async function streamTimeline(response: Response, ask: (afterVersion: number) => Promise<Timeline>, afterVersion: number, signal: AbortSignal): Promise<void> {
  response.status(200).set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  let seen = afterVersion;
  let pauseMs = PAUSE_MIN_MS;
  let wroteAt = performance.now();
  try {
    while (!signal.aborted) {
      const timeline = await askAgain(ask, seen);
      const entries = timeline?.entries ?? [];
      if (entries.length > 0) {
        await write(response, entriesText(entries), signal);
        seen = entries.at(-1)!.version;
        pauseMs = PAUSE_MIN_MS;
        wroteAt = performance.now();
        // A page may not be the whole timeline: what is left comes before the end does.
        continue;
      }
      if (timeline && ENDED.has(timeline.status)) {
        await write(response, `event: end\ndata: ${JSON.stringify({ executionId: timeline.executionId, status: timeline.status })}\n\n`, signal);
        break;
      }
      if (performance.now() - wroteAt >= HEARTBEAT_MS) {
        await write(response, ': still here\n\n', signal);
        wroteAt = performance.now();
      }
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(pauseMs * 1.5, PAUSE_MAX_MS);
    }
  } catch (thrown) {
    // The reader left or the process shuts down: whoever comes back goes on from the last id.
    if (!signal.aborted) throw thrown;
  } finally {
    response.end();
  }
}

/** Undefined while orchestration does not know the execution yet, or is away. */
async function askAgain(ask: (afterVersion: number) => Promise<Timeline>, seen: number): Promise<Timeline | undefined> {
  try {
    return await ask(seen);
  } catch (thrown) {
    if (thrown instanceof Refused || (thrown instanceof Fault && thrown.retryable)) return undefined;
    throw thrown;
  }
}

function entriesText(entries: readonly TimelineEntry[]): string {
  return entries
    .map((entry, index) => {
      // Only the last entry of a version says that the version has been seen.
      const isLast = entries[index + 1]?.version !== entry.version;
      return `event: entry\n${isLast ? `id: ${entry.version}\n` : ''}data: ${JSON.stringify(entryView(entry))}\n\n`;
    })
    .join('');
}

async function write(response: Response, text: string, signal: AbortSignal): Promise<void> {
  if (!response.write(text)) await once(response, 'drain', { signal });
}
