// What goes to each candidate from this process: whether it may be asked now, and how it has answered lately.
import type { ModelCandidate } from '@weft/contracts';
import type { Allowance, Limiter, Slots } from '@weft/pipeline';
import { breakerAfter, CLOSED, isProvidersFault, LatencyWindow, passBreaker, type BreakerState, type ModelProblem } from '@weft/tools/core';

export interface TrafficPorts {
  /** Makes the limiter of one allowance of one candidate. */
  readonly limiterOf: (name: string, allowance: Allowance) => Limiter;
  readonly slots: Slots;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Leave to make one call. */
export interface Passage {
  /** Tells how it went, once. `cancelled`: nothing is known of the provider. */
  readonly leave: (problem: ModelProblem | 'answered' | 'cancelled') => void;
}

const MINUTE_MS = 60_000;
/** How soon a place may be free that is taken now, milliseconds: a guess, for whoever waits. */
const SLOT_RETRY_MS = 200;
const CANDIDATES_MAX = 10_000;
/** Longest time that a provider can be left alone by its own word, milliseconds: it may be wrong about a day. */
const RETRY_AFTER_MAX_MS = 120_000;
/** Timers are not exact: whoever has waited as long as was asked is not sent away for a moment. */
const EARLY_MS = 5;

interface Line {
  breaker: BreakerState;
  /** When the provider wants to be asked again; 0: at once. */
  notBefore: number;
  readonly latency: LatencyWindow;
  readonly requests: Limiter | undefined;
  readonly tokens: Limiter | undefined;
}

export class ModelTraffic {
  readonly #lines = new Map<string, Line>();

  constructor(private readonly ports: TrafficPorts) {}

  /** Asks to make one call. @param tokens that it is thought to use. @returns the problem when the candidate is to be passed over now. */
  async enter(candidate: ModelCandidate, tokens: number): Promise<Passage | ModelProblem> {
    const { now } = this.ports;
    const key = keyOf(candidate);
    const line = this.#line(candidate, key);
    const closed = barrierOf(line, now());
    if (closed) return closed;
    const over = (await overLimit(line.requests, key, 1, 'requests')) ?? (await overLimit(line.tokens, key, tokens, 'tokens'));
    if (over) return over;
    const concurrency = candidate.terms?.limits?.concurrency ?? 0;
    const release = concurrency > 0 ? await this.ports.slots.take(key, concurrency) : undefined;
    if (concurrency > 0 && !release) return { kind: 'passedOver', message: `${concurrency} calls are under way, which is its limit`, retryAfterMs: SLOT_RETRY_MS };
    // A probe counts from when it is really made, and others may have begun it meanwhile.
    const passing = passBreaker(line.breaker, now());
    if (!passing.passes) {
      release?.();
      return leftAlone(line.breaker, passing.retryAfterMs);
    }
    line.breaker = passing.state;
    const startedAt = now();
    return {
      leave: (how) => {
        release?.();
        if (how === 'cancelled') return;
        if (how === 'answered') line.latency.add(now() - startedAt);
        else if (how.kind === 'status' && how.retryAfterMs !== undefined) line.notBefore = now() + Math.min(how.retryAfterMs, RETRY_AFTER_MAX_MS) - EARLY_MS;
        line.breaker = breakerAfter(line.breaker, how !== 'answered' && isProvidersFault(how), now());
      },
    };
  }

  /** After how long the next candidate is asked too, milliseconds; undefined: not before this one has failed. */
  hedgeAfterMs(candidate: ModelCandidate): number | undefined {
    const { hedge } = candidate;
    if (!hedge) return undefined;
    const known = hedge.percentile > 0 ? this.#line(candidate, keyOf(candidate)).latency.percentile(hedge.percentile) : undefined;
    return known ?? hedge.afterMs;
  }

  #line(candidate: ModelCandidate, key: string): Line {
    const known = this.#lines.get(key);
    if (known) return known;
    if (this.#lines.size >= CANDIDATES_MAX) this.#lines.clear();
    const { requestsPerMinute = 0, tokensPerMinute = 0 } = candidate.terms?.limits ?? {};
    const limiter = (what: string, points: number): Limiter | undefined => (points > 0 ? this.ports.limiterOf(`model-${what}`, { points, windowMs: MINUTE_MS }) : undefined);
    const line: Line = { breaker: CLOSED, notBefore: 0, latency: new LatencyWindow(), requests: limiter('requests', requestsPerMinute), tokens: limiter('tokens', tokensPerMinute) };
    this.#lines.set(key, line);
    return line;
  }
}

/** Why a candidate is left alone now. */
function barrierOf({ breaker, notBefore }: Line, now: number): ModelProblem | undefined {
  if (now < notBefore) return { kind: 'passedOver', message: `it wants to be asked again in ${Math.ceil(notBefore - now)} ms`, retryAfterMs: notBefore - now };
  const passing = passBreaker(breaker, now);
  return passing.passes ? undefined : leftAlone(breaker, passing.retryAfterMs);
}

const leftAlone = ({ failures }: BreakerState, retryAfterMs: number): ModelProblem => ({
  kind: 'passedOver',
  message: `it failed ${failures} times in a row, and is left alone for ${Math.ceil(retryAfterMs)} ms`,
  retryAfterMs,
});

/** Two entries of different terms are different candidates. */
const keyOf = ({ id, endpoint, model, terms }: ModelCandidate): string => `${id} ${terms?.digest ?? ''} ${endpoint} ${model}`;

async function overLimit(limiter: Limiter | undefined, key: string, points: number, what: string): Promise<ModelProblem | undefined> {
  if (!limiter) return undefined;
  const { allowed, retryAfterMs } = await limiter.take(key, points);
  return allowed ? undefined : { kind: 'passedOver', message: `its ${what} of this minute are used up`, retryAfterMs };
}
