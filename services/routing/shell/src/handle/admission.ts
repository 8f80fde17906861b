// How full Weft is, and whether it takes more. What is counted: requests that were accepted and whose execution has not begun.
import { rejection, type Rejection } from '@weft/kernel';

export interface AdmissionPorts {
  /** Accepted requests of all replicas whose execution has not begun, counted up to `limit`. */
  readonly countBacklog: (limit: number) => Promise<number>;
  readonly onFault: (fault: unknown, what: string) => void;
}

export interface AdmissionOptions {
  /** Requests in the backlog beyond which callers are refused. */
  readonly backlogMax: number;
  /** Milliseconds between two counts. Default 200. */
  readonly lookMs?: number;
  /** A number from 0 to below 1; spreads those who come back. Default: random. */
  readonly random?: () => number;
}

// What comes over the bus cannot be told to come back, so callers never take its last places.
const INTAKE_SHARE = 1.25;
const LOOK_MS = 200;
const COME_BACK_MS = 1_000;

/**
 * Counts the backlog in the store, now and then, and in between what this process hears of: accepted here, begun. So every
 * replica knows of all, and none asks the store for each request.
 */
export class Admission {
  #counted = 0;
  #acceptedSince = 0;
  #begunSince = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isStopped = false;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly ports: AdmissionPorts,
    private readonly options: AdmissionOptions,
  ) {}

  /** Requests that are thought to wait for their execution to begin. */
  get backlog(): number {
    return Math.max(0, this.#counted + this.#acceptedSince - this.#begunSince);
  }

  /** How many more requests of callers may be accepted now. */
  get places(): number {
    return Math.max(0, this.options.backlogMax - this.backlog);
  }

  accepted(count: number): void {
    this.#acceptedSince += count;
  }

  begun(count: number): void {
    this.#begunSince += count;
    this.#wake();
  }

  /** What a caller is told who comes while there is no place. Code `overloaded`. */
  refusal(): Rejection {
    const retryAfterMs = Math.round(COME_BACK_MS * (1 + (this.options.random ?? Math.random)()));
    return rejection(
      'overloaded',
      `Expected at most ${this.options.backlogMax} accepted requests whose execution has not begun but there are that many. Ask again with the same id: it is done once.`,
      {
        retryable: true,
        retryAfterMs,
      },
    );
  }

  /** Resolves when messages of the bus may be accepted: until then they are left where they are. */
  async roomForIntake(): Promise<void> {
    while (!this.#isStopped && this.backlog >= this.options.backlogMax * INTAKE_SHARE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.look()
        .catch((fault: unknown) => this.ports.onFault(fault, 'counting requests that wait'))
        .finally(() => {
          if (!this.#isStopped) this.start();
        });
    }, this.options.lookMs ?? LOOK_MS);
  }

  /** Counts. While nothing waits as far as this process knows, it does not ask. */
  async look(): Promise<void> {
    if (this.#counted === 0 && this.#acceptedSince === 0) {
      // What began was accepted by other replicas: it makes no room for what comes here.
      this.#begunSince = 0;
      return;
    }
    const [accepted, begun] = [this.#acceptedSince, this.#begunSince];
    this.#counted = await this.ports.countBacklog(Math.ceil(this.options.backlogMax * INTAKE_SHARE));
    // What was heard of while the store counted may be in the count or not; taken as not, which errs towards refusing.
    this.#acceptedSince -= accepted;
    this.#begunSince -= begun;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#wake();
    await this.#looking;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
