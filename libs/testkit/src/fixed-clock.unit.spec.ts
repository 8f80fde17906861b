import { describe, expect, it } from 'vitest';
import { FIXED_NOW, fixedClock } from './fixed-clock.js';

describe('fixedClock', () => {
  it('stands still until it is told to move', () => {
    const clock = fixedClock();
    expect([clock.now(), clock.now()]).toEqual([FIXED_NOW, FIXED_NOW]);
    expect(clock.advance(1_500)).toBe(FIXED_NOW + 1_500);
    expect(clock.now()).toBe(FIXED_NOW + 1_500);
  });

  it('jumps to any instant, also back', () => {
    const clock = fixedClock(10_000);
    clock.set(3_000);
    expect(clock.now()).toBe(3_000);
  });
});
