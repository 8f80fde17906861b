/** Builtins over numbers. */
import type { Json } from '@weft/kernel';
import type { Meter } from '../budget.js';
import { describe } from '../dump.js';
import { raise } from '../failure.js';
import { values, type BuiltinEntry } from './define.js';
import { numeric } from './types.js';

/** Functions of the input. */
const OF_INPUT: Readonly<Record<string, (x: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round: (x) => Math.sign(x) * Math.round(Math.abs(x)),
  rint: nearestEven,
  nearbyint: nearestEven,
  fabs: Math.abs,
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  exp10: (x) => 10 ** x,
  pow10: (x) => 10 ** x,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  significand: (x) => (x === 0 || !Number.isFinite(x) ? x : x / 2 ** binaryExponent(x)),
  logb: (x) => (x === 0 ? Number.NEGATIVE_INFINITY : Number.isFinite(x) ? binaryExponent(x) : Math.abs(x)),
};

/** Functions of two arguments; the input is not used. */
const OF_TWO: Readonly<Record<string, (x: number, y: number) => number>> = {
  pow: (x, y) => x ** y,
  atan2: Math.atan2,
  fmin: (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y)),
  fmax: (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y)),
  fmod: (x, y) => x % y,
  ldexp: (x, y) => x * 2 ** y,
  scalb: (x, y) => x * 2 ** y,
  scalbln: (x, y) => x * 2 ** y,
  hypot: Math.hypot,
  copysign: (x, y) => (Object.is(y, -0) || y < 0 ? -Math.abs(x) : Math.abs(x)),
};

export const MATH: readonly BuiltinEntry[] = [
  ...Object.entries(OF_INPUT).map(([name, apply]) => values(`${name}/0`, (meter, input) => apply(numeric(meter, input)))),
  ...Object.entries(OF_TWO).map(([name, apply]) => values(`${name}/2`, (meter, _input, x, y) => apply(numeric(meter, x!), numeric(meter, y!)))),
  values('fma/3', (meter, _input, x, y, z) => numeric(meter, x!) * numeric(meter, y!) + numeric(meter, z!)),
  values('abs/0', absolute),
  values('frexp/0', (meter, input) => {
    const x = numeric(meter, input);
    if (x === 0 || !Number.isFinite(x)) return [x, 0];
    const exponent = binaryExponent(x) + 1;
    return [x / 2 ** exponent, exponent];
  }),
  values('modf/0', (meter, input) => {
    const x = numeric(meter, input);
    return Number.isFinite(x) ? [x - Math.trunc(x), Math.trunc(x)] : [0, x];
  }),
];

function absolute(meter: Meter, input: Json): Json {
  if (typeof input !== 'number') return typeof input === 'string' ? input : raise(`${describe(meter, input)} has no absolute value`);
  return input < 0 ? -input : input;
}

function nearestEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** e with 2^e <= |x| < 2^(e+1), for finite x other than zero. */
function binaryExponent(x: number): number {
  const magnitude = Math.abs(x);
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--;
  if (2 ** (exponent + 1) <= magnitude) exponent++;
  return exponent;
}
