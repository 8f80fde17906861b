import { inspect } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long and how often to look. */
export interface EventuallyOptions {
  /** What is waited for, for the failure: "the execution to complete". */
  readonly what?: string;
  /** Deadline in milliseconds from the call; default 15,000: what holds is not waited for */
  readonly timeoutMs?: number;
  /** Pause between two looks in milliseconds; default 20. */
  readonly intervalMs?: number;
}

/**
 * Looks until the condition gives a truthy value, and answers that value. A look that throws counts as "not yet".
 * Throws after the deadline with what was waited for, how often it was looked at and what was seen last; a look that never returns also meets the deadline.
 * For what happens in other processes: pure cores are tested with a fixed clock and never wait.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { what = 'the condition to hold', timeoutMs = 15_000, intervalMs = 20 }: EventuallyOptions = {},
): Promise<Exclude<T, null | undefined | false | 0 | ''>> {
  const deadline = performance.now() + timeoutMs;
  const done = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: done.signal }).catch(() => undefined);
  let looks = 0;
  let seen = 'nothing, the first look did not return';
  try {
    for (;;) {
      const look = await Promise.race([lookOnce(condition), late]);
      if (!look) break;
      looks++;
      if ('value' in look && look.value) return look.value as Exclude<T, null | undefined | false | 0 | ''>;
      seen = 'value' in look ? inspect(look.value, { depth: 4, breakLength: 120 }) : `thrown: ${describe(look.thrown)}`;
      if (performance.now() + intervalMs >= deadline) break;
      await sleep(intervalMs);
    }
  } finally {
    done.abort();
  }
  throw new Error(`Expected ${what} within ${timeoutMs} ms, but it did not. Looks: ${looks}. Last seen: ${seen}`);
}

async function lookOnce<T>(condition: () => T | Promise<T>): Promise<{ readonly value: T } | { readonly thrown: unknown }> {
  try {
    return { value: await condition() };
  } catch (thrown) {
    return { thrown };
  }
}

const describe = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : inspect(thrown));
