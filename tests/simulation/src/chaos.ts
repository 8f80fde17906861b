// What goes wrong, how often, and the count of it. Each seed draws its own mixture, so that rare things also meet alone.
import type { Random } from './random.js';

/** Kinds of faults, with the chance that one strikes at one opportunity. */
export const FAULT_KINDS = {
  // The store, at a commit.
  'commit-refused': 0.012,
  'commit-cut': 0.012,
  'commit-answer-lost': 0.015,
  'commit-late': 0.01,
  'commit-slow': 0.015,
  'store-away': 0.003,
  // Processes.
  'crash-before-commit': 0.006,
  'crash-after-commit': 0.008,
  'crash-after-publish': 0.008,
  'crash-after-effect': 0.012,
  'pause-after-commit': 0.008,
  'crash-anytime': 0.05,
  pause: 0.06,
  'clock-skew': 0.25,
  // Timers.
  'timer-early': 0.1,
  'timer-lost': 0.1,
  // The bus.
  'bus-away': 0.004,
  'bus-publish-answer-lost': 0.015,
  'bus-duplicate': 0.025,
  'bus-reorder': 0.03,
  'bus-delay': 0.03,
  'bus-drop': 0.03,
  'bus-acknowledgement-lost': 0.02,
  'bus-rebalance': 0.01,
  'bus-rewind': 0.01,
  'bus-log-lost': 0.002,
  'bus-poison': 0.02,
  // Calls between services.
  'call-lost': 0.015,
  'call-duplicate': 0.02,
  'answer-lost': 0.02,
  'answer-late': 0.02,
  'answer-duplicate': 0.02,
  // The outside world.
  'receiver-unreachable': 0.02,
  'receiver-error': 0.02,
  'receiver-declines': 0.015,
  'request-lost': 0.02,
  'response-lost': 0.025,
  'hook-silent': 0.1,
  'model-away': 0.04,
  // Clients and people.
  'request-duplicate': 0.12,
  'request-conflict': 0.06,
  'request-unroutable': 0.06,
  'review-decided-twice': 0.3,
  'signal-duplicate': 0.2,
  'operation-duplicate': 0.3,
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

const MIXTURES = [0, 0, 1, 1, 1, 2, 4] as const;

export class Chaos {
  isHealed = false;
  readonly counts = new Map<FaultKind, number>();
  readonly #chances: ReadonlyMap<FaultKind, number>;

  constructor(
    private readonly random: Random,
    private readonly onStrike: (kind: FaultKind) => void,
  ) {
    this.#chances = new Map(Object.entries(FAULT_KINDS).map(([kind, chance]) => [kind as FaultKind, chance * random.pick(MIXTURES)]));
  }

  /** Whether a fault strikes here and now; counted when it does. After the heal none does. */
  strikes(kind: FaultKind): boolean {
    if (this.isHealed || !this.random.chance(this.#chances.get(kind)!)) return false;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.onStrike(kind);
    return true;
  }

  /** Faults that have struck. */
  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }
}
