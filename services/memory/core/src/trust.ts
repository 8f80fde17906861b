// How far a memory item may be relied on. The platform stamps it; no writer can choose it.

/** untrusted: came from outside, or from something that did; derived: made by a workflow from trusted items; stated: said by the tenant itself. */
export type Trust = 'untrusted' | 'derived' | 'stated';

const ORDER: readonly Trust[] = ['untrusted', 'derived', 'stated'];

/** The trust of a new item: taint is never washed off by writing something down. */
export function stampTrust(taint: readonly string[], executionId: string): Trust {
  if (taint.length > 0) return 'untrusted';
  return executionId === '' ? 'stated' : 'derived';
}

/** Whether an item is trusted at least as far as asked. */
export const isTrustedAtLeast = (trust: Trust, least: Trust): boolean => ORDER.indexOf(trust) >= ORDER.indexOf(least);

/** The trust levels that satisfy a least one, for a query. */
export const trustedAtLeast = (least: Trust): readonly Trust[] => ORDER.filter((trust) => isTrustedAtLeast(trust, least));

export const isTrust = (text: unknown): text is Trust => ORDER.includes(text as Trust);
