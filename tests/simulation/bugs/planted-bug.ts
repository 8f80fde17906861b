// A planted bug: a world with one part put in wrongly. The simulation must find it; a checker that finds nothing proves nothing.
import type { Parts } from '../src/parts.js';

export interface PlantedBug {
  readonly name: string;
  /** What was done wrong, in a sentence. */
  readonly mistake: string;
  /** Seeds from 1 within which it must be found. */
  readonly foundWithin: number;
  readonly wrong: Partial<Parts>;
}
