// The judge of progress while replicas die, stand still or are cut off: reads when requests were made and when results were seen.

export const FAULT_KINDS = ['kill', 'pause', 'cut'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Everything the judge looks at. Instants are milliseconds of one monotonic clock. */
export interface TakeoverInput {
  /** Requests by the instant they were sent, with the first result that was seen of each; without one it is not judged here. */
  readonly requests: readonly { readonly id: string; readonly sentAt: number; readonly doneAt?: number; readonly status?: string }[];
  /** What struck, and until when its consequences count. */
  readonly rounds: readonly { readonly kind: FaultKind; readonly from: number; readonly to: number }[];
  /** Load without faults. */
  readonly steady: Span;
  /** All replicas restarted one after the other. */
  readonly rolling: Span;
  readonly bars: Bars;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Bars {
  /** How long no result at all may be seen while requests go on, by what struck, in milliseconds. */
  readonly stallMs: Readonly<Record<FaultKind, number>>;
  /** How long one request may take at most during a round, in milliseconds: what its victim had in hand was taken over by then. */
  readonly waitMs: Readonly<Record<FaultKind, number>>;
  /** How many times the steady p99 the rolling one may be. */
  readonly rollingFactor: number;
}

export type ByKind = Readonly<Record<FaultKind, number>>;

export interface TakeoverVerdict {
  readonly rounds: ByKind;
  /** Longest time without any result, by what struck. */
  readonly longestStallMs: ByKind;
  /** Longest time from a request to its result, by what struck; null when one never got a result. */
  readonly longestWaitMs: Readonly<Record<FaultKind, number | null>>;
  /** Most results within a tenth of a second, and tenths without any, over all rounds. */
  readonly busiestTenth: number;
  readonly emptyTenths: number;
  /** Requests of the rolling restart that did not end in `completed`. */
  readonly failed: number;
  readonly p99SteadyMs: number;
  readonly p99RollingMs: number;
  /** One sentence for each bar that was missed. */
  readonly missed: readonly string[];
}

const TENTH_MS = 100;

/** Judges a run. Pure: the same input gives the same verdict. @throws Error when there is nothing to judge. */
export function judgeTakeover(input: TakeoverInput): TakeoverVerdict {
  const { requests, rounds, steady, rolling, bars } = input;
  const results = requests.flatMap(({ doneAt }) => doneAt ?? []).sort((left, right) => left - right);
  if (results.length === 0) throw new Error('Expected at least one result, but there is none.');
  const byKind = (measure: (round: Span) => number): ByKind =>
    Object.fromEntries(FAULT_KINDS.map((kind) => [kind, Math.max(0, ...rounds.filter((round) => round.kind === kind).map((round) => Math.round(measure(round))))])) as unknown as ByKind;
  const longestStallMs = byKind((round) => longestGap(results, round));
  const longestWaitMs = byKind((round) => Math.max(0, ...requests.filter((request) => isDuring(request, round)).map(({ sentAt, doneAt }) => (doneAt ?? Infinity) - sentAt)));
  const tenths = rounds.map((round) => perTenth(results, round)).flat();
  const [p99SteadyMs, p99RollingMs] = [percentile99(requests, steady), percentile99(requests, rolling)];
  const failed = requests.filter(({ sentAt, status }) => isWithin(sentAt, rolling) && status !== 'completed').length;
  const missed = [
    ...FAULT_KINDS.flatMap((kind) => [
      ...over(longestStallMs[kind], bars.stallMs[kind], `after a ${kind} nothing ended for`),
      ...over(longestWaitMs[kind], bars.waitMs[kind], `after a ${kind} a request took`),
    ]),
    ...(failed > 0 ? [`Expected every request of the rolling restart to complete, but ${failed} did not.`] : []),
    ...over(p99RollingMs, p99SteadyMs * bars.rollingFactor, 'the p99 of the rolling restart was'),
  ];
  return {
    rounds: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, rounds.filter((round) => round.kind === kind).length])) as unknown as ByKind,
    longestStallMs,
    longestWaitMs: Object.fromEntries(Object.entries(longestWaitMs).map(([kind, ms]) => [kind, Number.isFinite(ms) ? ms : null])) as TakeoverVerdict['longestWaitMs'],
    busiestTenth: Math.max(0, ...tenths),
    emptyTenths: tenths.filter((count) => count === 0).length,
    failed,
    p99SteadyMs,
    p99RollingMs,
    missed,
  };
}

/** Longest time without a result that touches the span; where no result is known before or after it, the span itself is the border. */
function longestGap(results: readonly number[], { from, to }: Span): number {
  let before = results.findLast((at) => at <= from) ?? from;
  let longest = 0;
  for (const at of results) {
    if (at <= from) continue;
    longest = Math.max(longest, at - before);
    if (at >= to) return longest;
    before = at;
  }
  return Math.max(longest, to - before);
}

function perTenth(results: readonly number[], { from, to }: Span): readonly number[] {
  const counts = Array.from({ length: Math.max(0, Math.floor((to - from) / TENTH_MS)) }, () => 0);
  for (const at of results) {
    const tenth = Math.floor((at - from) / TENTH_MS);
    if (tenth >= 0 && tenth < counts.length) counts[tenth]!++;
  }
  return counts;
}

/** A request that was under way at some time of the round. */
const isDuring = ({ sentAt, doneAt = Infinity }: { readonly sentAt: number; readonly doneAt?: number }, { from, to }: Span): boolean => sentAt < to && doneAt > from;

const isWithin = (at: number, { from, to }: Span): boolean => at >= from && at < to;

/** Nearest rank. A request without a result counts as the longest. */
function percentile99(requests: TakeoverInput['requests'], span: Span): number {
  const times = requests.filter(({ sentAt }) => isWithin(sentAt, span)).map(({ sentAt, doneAt = Infinity }) => doneAt - sentAt);
  if (times.length === 0) throw new Error(`Expected requests between ${span.from} and ${span.to}, but there are none.`);
  return Math.round(times.sort((left, right) => left - right)[Math.ceil(times.length * 0.99) - 1]!);
}

const over = (ms: number, barMs: number, what: string): readonly string[] =>
  ms > barMs ? [`Expected at most ${Math.round(barMs)} ms, but ${what} ${Number.isFinite(ms) ? `${ms} ms` : 'for ever'}.`] : [];
