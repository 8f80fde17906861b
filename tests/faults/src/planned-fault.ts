// What a receiver may be asked to do wrong.

/**
 * `lost`: done, then the connection is cut. `stall`: done, then no answer comes for as long as the caller waits. `error`: done, then an internal error is told.
 * `garbled`: done, then half an answer. `refused`: not done, and said so.
 */
export const FAULTS = ['lost', 'stall', 'error', 'garbled', 'refused'] as const;
export type FaultKind = (typeof FAULTS)[number];

/** What one request asks for. */
export interface PlannedFault {
  readonly fault: FaultKind | null;
  /** How many arrivals of one tool and key meet it; what carries no key always does. */
  readonly times: number;
  /** Wait between the effect and its answer, milliseconds. */
  readonly delayMs: number;
}

/** Reads the texts or numbers of a request; no fault is `none`, or nothing. Undefined: they ask for something that there is not. */
export function plannedFault(asked: { readonly fault?: unknown; readonly times?: unknown; readonly delayMs?: unknown }, delayMsDefault = 0): PlannedFault | undefined {
  const fault = asked.fault === undefined || asked.fault === null || asked.fault === '' || asked.fault === 'none' ? null : FAULTS.find((known) => known === asked.fault);
  const times = Number(asked.times || 1);
  const delayMs = Number(asked.delayMs ?? delayMsDefault);
  if (fault === undefined || !(Number.isInteger(times) && times >= 1) || !(delayMs >= 0)) return undefined;
  return { fault, times, delayMs };
}

export const EXPECTED_PLAN = `Expected fault to be one of ${FAULTS.join(', ')}, times a whole number from 1 and delayMs a number from 0`;
