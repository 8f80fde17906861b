import { Injectable } from '@nestjs/common';
import { Shutdown } from '../app/shutdown.js';

/** What one check found. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  /** Why it failed. Never carries a secret: it is shown to whoever asks. */
  readonly reason?: string;
}

export interface Readiness {
  readonly status: 'ready' | 'not-ready' | 'draining';
  readonly checks: readonly CheckResult[];
}

interface Check {
  readonly name: string;
  readonly timeoutMs: number;
  readonly run: () => Promise<void>;
}

/** What must work for the application to take requests. Modules register their checks when they are made. */
@Injectable()
export class HealthChecks {
  readonly #checks: Check[] = [];

  constructor(private readonly shutdown: Shutdown) {}

  /**
   * Registers a check; its rejection means not ready.
   * @param name what is checked, such as `orchestration store`.
   * @param timeoutMs how long it may take. Default 1,000.
   */
  register(name: string, run: () => Promise<void>, timeoutMs = 1_000): void {
    this.#checks.push({ name, run, timeoutMs });
  }

  /** Runs all checks side by side. An application that drains is not ready, whatever they say. */
  async readiness(): Promise<Readiness> {
    if (this.shutdown.draining) return { status: 'draining', checks: [] };
    const checks = await Promise.all(this.#checks.map(runCheck));
    return { status: checks.every(({ ok }) => ok) ? 'ready' : 'not-ready', checks };
  }
}

async function runCheck({ name, run, timeoutMs }: Check): Promise<CheckResult> {
  const startedAt = performance.now();
  const since = (): number => Math.round(performance.now() - startedAt);
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([
      run(),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      }),
    ]);
    return { name, ok: true, ms: since() };
  } catch (error) {
    return { name, ok: false, ms: since(), reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
