import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import { jobIdIn } from '../execution/execution.state.js';
import type { Advance } from './advance.js';

/** Schedules the job of an activation, under its generation and the next attempt. @param input what the worker is given; left out, it is put together when the job is dispatched. */
export function scheduleJob(advance: Advance, key: ActivationKey, kind: string, input?: Json): void {
  const job = jobIdIn(advance.state, key);
  const { generations, attempts } = advance.state;
  advance.record({
    type: 'JobScheduled',
    key,
    job,
    kind,
    generation: generations[job] ?? 0,
    attempt: (attempts[job] ?? 0) + 1,
    at: advance.context.now,
    ...(input === undefined ? {} : { input }),
  });
}
