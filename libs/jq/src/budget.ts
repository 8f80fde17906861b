/** How much one evaluation may use. All three are counts, so that the same expression on the same input always ends the same way. */
export interface Budget {
  /** Closures entered and items handled; integer >= 1. */
  readonly steps: number;
  /** Levels of nesting: of a value, and of running function calls, each counted as many levels as its body has; integer >= 1. */
  readonly depth: number;
  /** Bytes of texts and containers the expression builds, garbage included; integer >= 1. */
  readonly bytes: number;
}

/** What an evaluation may use unless the caller says otherwise: worth about 10 ms at most on one ordinary core. */
export const DEFAULT_BUDGET: Budget = { steps: 100_000, depth: 1_000, bytes: 8 * 1024 * 1024 };

/** Thrown inside an evaluation when a part of its budget is used up. No expression can catch it. */
export class BudgetExhausted {
  constructor(readonly part: keyof Budget) {}
}

/**
 * The counters of one evaluation, and what it may know of the world: variables and the instant.
 * Every closure gets it as its first argument.
 */
export class Meter {
  /** Current nesting of running calls, in levels. Whoever catches a throw restores it. */
  depth = 0;
  private steps: number;
  private bytes: number;

  constructor(
    readonly budget: Budget,
    readonly variables: Readonly<Record<string, unknown>>,
    /** Milliseconds since the epoch; undefined when the caller gave none. */
    readonly now: number | undefined,
  ) {
    this.steps = budget.steps;
    this.bytes = budget.bytes;
  }

  step(): void {
    if (--this.steps < 0) throw new BudgetExhausted('steps');
  }

  /** Charges work that is done in one native call: `items` of about one step's worth each. */
  work(items: number): void {
    this.steps -= items;
    if (this.steps < 0) throw new BudgetExhausted('steps');
  }

  /** Charges memory before it is taken. */
  take(bytes: number): void {
    this.bytes -= bytes;
    if (this.bytes < 0) throw new BudgetExhausted('bytes');
  }

  enter(levels = 1): void {
    this.depth += levels;
    if (this.depth > this.budget.depth) throw new BudgetExhausted('depth');
  }

  leave(levels = 1): void {
    this.depth -= levels;
  }

  /** Refuses a value nested deeper than the budget allows. */
  nesting(levels: number): void {
    if (levels > this.budget.depth) throw new BudgetExhausted('depth');
  }
}
