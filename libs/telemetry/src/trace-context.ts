// W3C Trace Context as text. Source: https://www.w3.org/TR/trace-context/
import { randomBytes } from 'node:crypto';

/** A parsed `traceparent`. Ids are lower-case hexadecimal and never all zero. */
export interface TraceParent {
  /** 32 characters. */
  readonly traceId: string;
  /** 16 characters: the parent of what is done next. */
  readonly spanId: string;
  /** Whether the trace is recorded. */
  readonly sampled: boolean;
}

// Versions above 00 may append fields after the flags; `ff` is forbidden.
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Parses a `traceparent`; undefined when it is malformed or names no trace. */
export function parseTraceparent(text: string): TraceParent | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN || (version === '00' && rest !== undefined)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The text of a trace parent, version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Whether a `traceparent` asks for recording. One character is read, so that batch paths can ask for every message. */
export function isSampled(traceparent: string): boolean {
  // Flags are the characters 53 and 54; the sampled bit makes the last hexadecimal digit odd.
  return traceparent.length >= 55 && '13579bdf'.includes(traceparent.charAt(54));
}

/** The trace id of a `traceparent`, or undefined when there is none. */
export const traceIdOf = (traceparent: string): string | undefined => parseTraceparent(traceparent)?.traceId;

/** A `traceparent` of a new trace with random ids, for a request that came without one: a trace id always exists. */
export function newTraceparent(sampled: boolean): string {
  return formatTraceparent({ traceId: randomId(16), spanId: randomId(8), sampled });
}

function randomId(bytes: number): string {
  const id = randomBytes(bytes);
  // All zero means "none"; the standard asks for another draw, a set bit is as good.
  if (id.every((byte) => byte === 0)) id[bytes - 1] = 1;
  return id.toString('hex');
}
