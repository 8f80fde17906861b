import { Injectable } from '@nestjs/common';

/**
 * The order of draining: stop taking work in; let workers end their jobs while whoever takes their results still runs; finish what
 * is under way; close what the work needed; stop servers of our own.
 */
export const DRAIN_PHASES = ['intake', 'workers', 'work', 'stores', 'servers'] as const;
export type DrainPhase = (typeof DRAIN_PHASES)[number];

/** How a drain went. */
export interface DrainReport {
  readonly ms: number;
  /** Steps that did not end in time, or failed, with the reason. Empty after a clean drain. */
  readonly unfinished: readonly { readonly step: string; readonly reason: string }[];
}

interface Step {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

// Even when the work used up the deadline, stores get this long to end their transactions properly.
const STEP_MS_MIN = 1_000;

/** What has to end, and in which order, when the process shuts down. One for the whole application. */
@Injectable()
export class Shutdown {
  readonly #steps: Record<DrainPhase, Step[]> = { intake: [], workers: [], work: [], stores: [], servers: [] };
  readonly #abort = new AbortController();
  #drain: Promise<DrainReport> | undefined;

  /** Whether the application takes no new work. Readiness follows it. */
  get draining(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Aborted when draining begins: for loops that sleep and streams that would never end by themselves. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Adds a step. Steps of `intake`, `workers` and `work` run side by side within their phase; `stores` and `servers` close one after the other, the newest first.
   * @param name for the report, such as `routing lanes`.
   */
  on(phase: DrainPhase, name: string, run: () => void | Promise<void>): void {
    this.#steps[phase].push({ name, run });
  }

  /** Says that the application is going, so that readiness fails, without ending anything yet. */
  announce(): void {
    this.#abort.abort();
  }

  /** Runs all steps in order of their phases. It resolves within about the deadline, and once: calling again is the same drain. */
  drain(deadlineMs: number): Promise<DrainReport> {
    this.announce();
    this.#drain ??= this.#run(deadlineMs);
    return this.#drain;
  }

  async #run(deadlineMs: number): Promise<DrainReport> {
    const startedAt = performance.now();
    const unfinished: { step: string; reason: string }[] = [];
    const attempt = async ({ name, run }: Step): Promise<void> => {
      const leftMs = Math.max(STEP_MS_MIN, deadlineMs - (performance.now() - startedAt));
      const reason = await endsWithin(run, leftMs);
      if (reason !== undefined) unfinished.push({ step: name, reason });
    };
    for (const phase of ['intake', 'workers', 'work'] as const) await Promise.all(this.#steps[phase].map(attempt));
    for (const step of [...this.#steps.stores.toReversed(), ...this.#steps.servers.toReversed()]) await attempt(step);
    return { ms: Math.round(performance.now() - startedAt), unfinished };
  }
}

async function endsWithin(run: () => void | Promise<void>, ms: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not finished after ${Math.round(ms)} ms`), ms);
  });
  try {
    return await Promise.race([
      Promise.resolve()
        .then(run)
        .then(() => undefined),
      late,
    ]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
