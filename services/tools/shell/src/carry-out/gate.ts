/** Lets a bounded number of things run at once; the others wait in order. */
export class Gate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param runningMax integer >= 1. */
  constructor(private readonly runningMax: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.runningMax) await new Promise<void>((enter) => this.#waiting.push(enter));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** Runs when both gates have room. The narrow one is waited for first: who waits for it takes no place of the wide one. */
export function throughGates<T>(wide: Gate, narrow: Gate | undefined, work: () => Promise<T>): Promise<T> {
  return narrow ? narrow.run(() => wide.run(work)) : wide.run(work);
}
