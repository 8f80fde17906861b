// The outside world that effects reach: it counts what happens, and shares nothing with the product but the key it is sent.
import type { HttpExchange } from '@weft/tools/core';

/** One request as it arrives. */
export interface Arriving {
  readonly key: string;
  /** Which running of which task it is for: known to the simulation alone, to judge by. */
  readonly job: string;
  readonly execution: string;
  readonly counter: string;
  readonly amount: number;
  /** Whether the receiver recognises keys. */
  readonly recognisesKeys: boolean;
}

/** What happened under one key. */
export interface Happened {
  readonly key: string;
  readonly job: string;
  readonly execution: string;
  readonly counter: string;
  readonly body: string;
  /** How often it was done. */
  times: number;
  amount: number;
}

export class Receiver {
  readonly happened = new Map<string, Happened>();
  /** What was wrong with a request, seen from outside. */
  readonly complaints: string[] = [];
  readonly #refusedKeys = new Map<string, Set<string>>();
  readonly #bodies = new Map<string, string>();

  /** @param refusals how often an execution's counter refuses, each time for another key. */
  constructor(private readonly refusals: (execution: string, counter: string) => number) {}

  receive({ key, job, execution, counter, amount, recognisesKeys }: Arriving): HttpExchange {
    const body = `${counter}+${amount}`;
    const before = this.#bodies.get(key);
    if (key === '') this.complaints.push(`effect: a request for ${job} carries no key`);
    else if (before !== undefined && before !== body) this.complaints.push(`effect: key ${key} came with ${before} and then with ${body}`);
    this.#bodies.set(key, body);
    if (this.#refuses(execution, counter, key)) return { kind: 'answered', status: 422 };
    const known = this.happened.get(key);
    if (!known) this.happened.set(key, { key, job, execution, counter, body, times: 1, amount });
    else if (!recognisesKeys || key === '') {
      known.times++;
      known.amount += amount;
    }
    return { kind: 'answered', status: 200 };
  }

  #refuses(execution: string, counter: string, key: string): boolean {
    const most = this.refusals(execution, counter);
    if (most === 0) return false;
    const refused = this.#refusedKeys.get(`${execution}/${counter}`) ?? new Set();
    this.#refusedKeys.set(`${execution}/${counter}`, refused);
    if (refused.has(key)) return true;
    if (refused.size >= most) return false;
    refused.add(key);
    return true;
  }
}
