// All planted bugs, and the search for one.
import { RIGHT_PARTS } from '../src/parts.js';
import { simulate } from '../src/simulation.js';
import { AGENT_BUGS } from './agent-bugs.js';
import { DECISION_BUGS } from './decision-bugs.js';
import { DELIVERY_BUGS } from './delivery-bugs.js';
import { EFFECT_BUGS } from './effect-bugs.js';
import type { PlantedBug } from './planted-bug.js';

export const BUG_BANK: readonly PlantedBug[] = [...DELIVERY_BUGS, ...DECISION_BUGS, ...EFFECT_BUGS, ...AGENT_BUGS];

export interface Found {
  /** Seeds that were run: the last one found it, unless `violation` is undefined. */
  readonly seeds: number;
  /** What the simulation said, or undefined when it found nothing within `foundWithin` seeds. */
  readonly violation: string | undefined;
}

/** Runs seeds from 1 with a bug planted, until a violation. */
export async function find({ wrong, foundWithin }: PlantedBug): Promise<Found> {
  for (let seed = 1; seed <= foundWithin; seed++) {
    const { violations } = await simulate(seed, { parts: { ...RIGHT_PARTS, ...wrong } });
    if (violations[0] !== undefined) return { seeds: seed, violation: violations[0] };
  }
  return { seeds: foundWithin, violation: undefined };
}
