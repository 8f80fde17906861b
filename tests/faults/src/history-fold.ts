// What the dumped histories say, folded here by the judge's own few rules: no rule of the product's is asked.

/** One history row: what one decision recorded. */
export interface HistoryRow {
  readonly execution: string;
  /** From 0, without gaps. */
  readonly sequence: number;
  /** The commit that it belongs to. */
  readonly commit: string;
  /** When it was recorded, milliseconds since the epoch. */
  readonly atMs: number;
  readonly events: readonly HistoryEvent[];
}

/** One event, as far as the judge looks at it. */
export interface HistoryEvent {
  readonly type: string;
  /** The activation; it names the job where no other name is given. */
  readonly key?: string;
  readonly job?: string;
  readonly generation?: number;
  readonly timer?: string;
  /** When a timer is due, milliseconds since the epoch. */
  readonly due?: number;
  /** The execution that a task starts, or whose end it takes, and how that ended. */
  readonly child?: string;
  readonly isAwaited?: boolean;
  readonly status?: string;
}

/** What one history comes to. */
export interface Folded {
  readonly execution: string;
  readonly status: string;
  /** Sentences about rows that are missing or doubled. */
  readonly broken: readonly string[];
  /** Sentences about jobs that one scheduling of which got more than one result. */
  readonly appliedTwice: readonly string[];
  /** Sentences about timers that fired early, twice, or without having been set. */
  readonly timersWrong: readonly string[];
  /** Sentences about events that cannot follow what was before: anything after the end, a result of no job. */
  readonly outOfOrder: readonly string[];
  /** Timers that were set and have not fired. */
  readonly openTimers: ReadonlySet<string>;
}

const STATUS_OF_END: Readonly<Record<string, string>> = {
  ExecutionCompleted: 'completed',
  ExecutionFaulted: 'faulted',
  ExecutionCancelled: 'cancelled',
  ExecutionTerminated: 'cancelled',
};

/** Folds the rows of one execution, in any order. */
export function foldHistory(execution: string, rows: readonly HistoryRow[]): Folded {
  const sorted = [...rows].sort((left, right) => left.sequence - right.sequence);
  const fold = new Fold(execution);
  for (const row of sorted) for (const event of row.events) fold.take(event, row);
  const missing = sorted.flatMap(({ sequence }, index) => (sequence === index ? [] : [index])).slice(0, 1);
  const broken = missing.map((index) => `Execution ${execution}: expected history row ${index}, but the next is ${sorted[index]!.sequence}`);
  return { execution, status: fold.status, broken, appliedTwice: fold.appliedTwice(), timersWrong: fold.timersWrong, outOfOrder: fold.outOfOrder, openTimers: new Set(fold.timers.keys()) };
}

class Fold {
  status = 'running';
  readonly timers = new Map<string, number>();
  readonly timersWrong: string[] = [];
  readonly outOfOrder: string[] = [];
  readonly #fired = new Set<string>();
  /** How many results each scheduling of a job got; a job that is scheduled anew (a retried `try`) starts again at 0. */
  readonly #jobs = new Map<string, number>();
  readonly #appliedTwice = new Map<string, number>();

  constructor(private readonly execution: string) {}

  take(event: HistoryEvent, { sequence, atMs }: HistoryRow): void {
    const where = `Execution ${this.execution}, row ${sequence}`;
    if (this.status !== 'running') this.outOfOrder.push(`${where}: ${event.type} after the execution was ${this.status}`);
    if (sequence === 0 && this.#isFirst && event.type !== 'ExecutionStarted') this.outOfOrder.push(`${where}: begins with ${event.type}`);
    this.#isFirst = false;
    const { key = '', job = `of ${key}`, timer = '', generation = 0 } = event;
    switch (event.type) {
      case 'JobScheduled':
        this.#jobs.set(`job ${job}, generation ${generation}`, 0);
        break;
      case 'JobCompleted': {
        const name = `job ${job}, generation ${generation}`;
        if (!this.#jobs.has(name)) this.outOfOrder.push(`${where}: a result of ${name}, which was not scheduled`);
        const results = (this.#jobs.get(name) ?? 0) + 1;
        this.#jobs.set(name, results);
        if (results > 1) this.#appliedTwice.set(name, results);
        break;
      }
      case 'TimerSet':
        this.timers.set(timer, event.due ?? 0);
        break;
      case 'TimerFired': {
        const due = this.timers.get(timer);
        if (due === undefined) this.timersWrong.push(`${where}: timer ${timer} fired ${this.#fired.has(timer) ? 'twice' : 'without having been set'}`);
        else if (atMs < due) this.timersWrong.push(`${where}: timer ${timer} fired ${due - atMs} ms before it was due`);
        this.timers.delete(timer);
        this.#fired.add(timer);
        break;
      }
      default:
        this.status = STATUS_OF_END[event.type] ?? this.status;
    }
  }

  #isFirst = true;

  appliedTwice(): readonly string[] {
    return [...this.#appliedTwice].map(([name, results]) => `Execution ${this.execution}: ${results} results applied for ${name}`);
  }
}
