import { describe, expect, it } from 'vitest';
import { BUG_BANK, find } from './bugs/bug-bank.js';

describe('the bug bank', () => {
  it('holds at least a dozen bugs, each under its own name', () => {
    expect(new Set(BUG_BANK.map(({ name }) => name)).size).toBe(BUG_BANK.length);
    expect(BUG_BANK.length).toBeGreaterThanOrEqual(12);
  });

  for (const bug of BUG_BANK) {
    it(`is found out: ${bug.mistake}`, async () => {
      expect((await find(bug)).violation, `${bug.name} within ${bug.foundWithin} seeds`).toBeDefined();
    }, 60_000);
  }
});
