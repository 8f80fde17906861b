// Judges an egress proof by the file of the outside and by what callers were told. Shares no code with what it judges.
import type { Arrival } from './egress-outside.js';

/** One request that was asked for. */
export interface Attempt {
  /** Unique; benign ones ask for `/ok/ID`. */
  readonly id: string;
  readonly url: string;
  /** How it was asked for: `call`, `redirect`, `infer`. */
  readonly way: string;
  /** Whether it may be reached. */
  readonly isBenign: boolean;
  /** A name that is public when it is first asked for: a failure of the network is as good as a refusal. */
  readonly mayFail?: boolean;
  /** A text that leads to the allowed place for some parsers: what counts is that the sink stays empty. */
  readonly mayArrive?: boolean;
  /** What the caller was told: `completed`, or the sentence of the failure. */
  readonly told: string;
}

/** Counts, and a sentence for each violation. */
export interface EgressVerdict {
  readonly attempts: number;
  /** Different URLs among those that must not be reached. */
  readonly urls: number;
  readonly refused: number;
  /** Connections that reached the sink. */
  readonly connections: number;
  readonly benign: number;
  readonly reached: number;
  readonly violations: readonly string[];
}

const BENIGN_SHARE = 0.99;
const SENTENCES_MAX = 20;
const REFUSAL = /never reached|Expected a public address|neither declared by a tool|without a user name|an http or https URL|URL that starts with|goes on without it|where the URL|status from 200/;

export function judge(attempts: readonly Attempt[], arrivals: readonly Arrival[]): EgressVerdict {
  const violations: string[] = [];
  const sunk = arrivals.filter((arrival) => arrival.at === 'sink');
  if (sunk.length > 0) violations.push(`${sunk.length} connections reached the sink, at ${[...new Set(sunk.map(({ to }) => to))].join(', ')}`);
  const hostile = attempts.filter(({ isBenign }) => !isBenign);
  const isRefused = ({ told, mayFail, mayArrive }: Attempt): boolean => (told === 'completed' ? mayArrive === true : REFUSAL.test(told) || mayFail === true);
  for (const attempt of hostile.filter((one) => !isRefused(one))) violations.push(`${attempt.way} of ${attempt.url} was not refused: ${attempt.told}`);
  const paths = new Set(arrivals.flatMap((arrival) => (arrival.at === 'allowed' ? [arrival.path] : [])));
  const benign = attempts.filter(({ isBenign }) => isBenign);
  const missed = benign.filter(({ id, told }) => told !== 'completed' || !paths.has(`/ok/${id}`));
  const reached = benign.length - missed.length;
  if (benign.length === 0 || reached / benign.length < BENIGN_SHARE) {
    violations.push(`${reached} of ${benign.length} requests to where they may go arrived; one that did not: ${missed[0]?.url ?? 'none was asked for'}: ${missed[0]?.told ?? ''}`);
  }
  return {
    attempts: attempts.length,
    urls: new Set(hostile.map(({ url }) => url)).size,
    refused: hostile.filter(isRefused).length,
    connections: sunk.length,
    benign: benign.length,
    reached,
    violations: violations.slice(0, SENTENCES_MAX),
  };
}
