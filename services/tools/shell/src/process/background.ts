// What goes on when the task that began it has gone on: `await: false`.

/** Runs that nobody waits for. They end with this process at the latest: nothing starts them again. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  /** Begins a run, which must not reject. Its signal is aborted when this process goes. */
  begin(run: (signal: AbortSignal) => Promise<void>): void {
    const running = run(this.#stop.signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Ends all that is running. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
