import { hash32, invariant } from '@weft/kernel';

/** A stream of pseudo-random draws: the same seed gives the same draws on every machine. Not for secrets. */
export interface SeededRandom {
  /** Uniform in [0, 1), 32 bits of resolution. */
  readonly next: () => number;
  /** Uniform integer in [min, max], both included; max - min < 2^32. */
  readonly integer: (min: number, max: number) => number;
  /** True with the probability `p`, 0 to 1. */
  readonly chance: (p: number) => boolean;
  /** One member of a non-empty list. */
  readonly pick: <T>(from: readonly T[]) => T;
  /** A shuffled copy (Fisher-Yates). */
  readonly shuffle: <T>(list: readonly T[]) => T[];
  readonly bytes: (count: number) => Uint8Array;
  /** An independent stream named by a label. Draws on one leave the other alone, so that adding a draw in one place does not change the rest of a run. */
  readonly fork: (label: string) => SeededRandom;
}

/** How many draws are thrown away at the start, so that near seeds do not give near first draws. */
const WARM_UP_DRAWS = 20;

/**
 * A stream from a seed: sfc32 (128 bits of state, period at least 2^32, passes PractRand), its state filled by hashing the seed.
 * Source: Doty-Humphrey, PractRand, "sfc" (small fast counting) generators.
 */
export function seededRandom(seed: number | string): SeededRandom {
  const name = String(seed);
  const draw = sfc32(hash32(`${name}/a`), hash32(`${name}/b`), hash32(`${name}/c`));
  const next = (): number => draw() / 2 ** 32;
  const integer = (min: number, max: number): number => {
    invariant(Number.isSafeInteger(min) && Number.isSafeInteger(max) && max >= min && max - min < 2 ** 32, `a range of integers, not [${min}, ${max}]`);
    return min + Math.floor(next() * (max - min + 1));
  };
  return {
    next,
    integer,
    chance: (p) => next() < p,
    pick: (from) => {
      invariant(from.length > 0, 'a list to pick from has a member');
      return from[integer(0, from.length - 1)]!;
    },
    shuffle: (list) => {
      const copy = [...list];
      for (let last = copy.length - 1; last > 0; last--) {
        const other = integer(0, last);
        [copy[last], copy[other]] = [copy[other]!, copy[last]!];
      }
      return copy;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => draw() & 0xff),
    fork: (label) => seededRandom(`${name}/${label}`),
  };
}

function sfc32(a: number, b: number, c: number): () => number {
  let counter = 1;
  const draw = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP_DRAWS; i++) draw();
  return draw;
}
