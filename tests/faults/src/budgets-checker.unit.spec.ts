import { describe, expect, it } from 'vitest';
import { isCleanOfBudgets, judgeBudgets, type BudgetsInput } from './budgets-checker.js';
import type { Receipt } from './receipt-file.js';

const receipt = (number: number, more: Partial<Receipt>): Receipt => ({
  receipt: number,
  at: { monotonicNs: '1', wallMs: 1 },
  face: 'http',
  tool: 'capped',
  key: `k${number}`,
  execution: `e${number}`,
  task: 't',
  iteration: '',
  bodySha256: '',
  fault: null,
  ...more,
});
const asked = (n: number, told: string, tool = 'capped') => ({ id: `r${n}`, tool, executionId: `e${n}`, told });

/** Three asked for two calls; one call is free. */
const CLEAN: BudgetsInput = {
  tools: [
    { tool: 'capped', cap: 2, isExact: true, idempotent: false, spent: 2, reserved: 0 },
    { tool: 'free', isExact: true, idempotent: true },
  ],
  asked: [asked(1, 'done'), asked(2, 'done'), asked(3, 'over budget'), asked(4, 'done', 'free')],
  receipts: [receipt(1, {}), receipt(2, {}), receipt(4, { tool: 'free' })],
};
const capped = CLEAN.tools[0]!;

describe('the judge of budgets', () => {
  it('finds nothing where exactly the cap passed', () => {
    const verdict = judgeBudgets(CLEAN);
    expect(verdict).toMatchObject({ calls: 4, passed: 2, refused: 1, beyond: 0, benign: 1, benignDone: 1, details: [] });
    expect(isCleanOfBudgets(verdict)).toBe(true);
  });

  it.each<[string, keyof ReturnType<typeof judgeBudgets>, Partial<BudgetsInput>]>([
    ['a call beyond the cap', 'beyond', { receipts: [...CLEAN.receipts, receipt(3, {})] }],
    ['a call that fitted and was refused', 'wronglyRefused', { receipts: CLEAN.receipts.slice(1), asked: [asked(1, 'over budget'), ...CLEAN.asked.slice(1)] }],
    ['a caller who was told of a call that never happened', 'toldWrong', { asked: [...CLEAN.asked, asked(9, 'done')] }],
    ['a caller who was told of nothing', 'toldWrong', { asked: [...CLEAN.asked, asked(9, 'running')] }],
    ['a caller who was refused what happened', 'toldWrong', { asked: [asked(1, 'over budget'), ...CLEAN.asked.slice(1)] }],
    ['a reservation that nobody ends', 'reservedLeft', { tools: [{ ...capped, reserved: 1 }, CLEAN.tools[1]!] }],
    ['a call that was not counted', 'countedWrong', { tools: [{ ...capped, spent: 1 }, CLEAN.tools[1]!] }],
    ['calls that count beyond the cap', 'countedWrong', { tools: [{ ...capped, spent: 3 }, CLEAN.tools[1]!] }],
  ])('finds %s', (_what, count, more) => {
    const verdict = judgeBudgets({ ...CLEAN, ...more });
    expect(verdict[count]).toBeGreaterThan(0);
    expect(isCleanOfBudgets(verdict)).toBe(false);
    expect(verdict.details).not.toEqual([]);
  });

  it('wants benign calls done', () => {
    expect(isCleanOfBudgets(judgeBudgets({ ...CLEAN, receipts: CLEAN.receipts.slice(0, 2) }))).toBe(false);
    expect(isCleanOfBudgets(judgeBudgets({ ...CLEAN, asked: CLEAN.asked.slice(0, 3) }))).toBe(false);
  });

  it('counts a key once where the receiver does, and no effect that it refused', () => {
    const receipts = [...CLEAN.receipts, receipt(5, { key: 'k1' }), receipt(6, { fault: 'refused' })];
    expect(judgeBudgets({ ...CLEAN, tools: [{ ...capped, idempotent: true }, CLEAN.tools[1]!], receipts }).beyond).toBe(0);
  });

  it('lets what was lost with a process count as spent', () => {
    const tools = [{ ...capped, isExact: false, cap: 3, spent: 3 }, CLEAN.tools[1]!];
    expect(isCleanOfBudgets(judgeBudgets({ ...CLEAN, tools }))).toBe(true);
  });
});
