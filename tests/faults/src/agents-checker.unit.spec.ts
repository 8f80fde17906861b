import { describe, expect, it } from 'vitest';
import { isCleanOfAgents, judgeAgents, type AgentsInput, type AskedAgent } from './agents-checker.js';
import type { Receipt } from './receipt-file.js';

const asked = (more: Partial<AskedAgent> = {}): AskedAgent => ({ id: 'a1', executionId: 'e1', kind: 'killed', ends: 'completed', effects: { once: 1, idempotent: 1 }, ...more });
const receipt = (number: number, tool: string, more: Partial<Receipt> = {}): Receipt => ({
  receipt: number,
  at: { monotonicNs: '0', wallMs: 0 },
  face: 'http',
  tool,
  key: `default/e1/do/0/work#turn:${number},call:1/0`,
  execution: 'e1',
  task: '/do/0/work',
  iteration: `turn:${number},call:1`,
  bodySha256: `b${number}`,
  fault: null,
  ...more,
});
const input = (more: Partial<AgentsInput> = {}): AgentsInput => ({
  asked: [asked()],
  results: [{ executionId: 'e1', status: 'completed' }],
  receipts: [receipt(1, 'once'), receipt(2, 'idempotent')],
  idempotent: ['idempotent'],
  ...more,
});
const again = (of: Receipt, number: number, more: Partial<Receipt> = {}): Receipt => ({ ...of, receipt: number, ...more });

describe('the judge of agents', () => {
  it('finds nothing wrong with agents that did what they owe, also where a known key came again', () => {
    const [once, idempotent] = input().receipts;
    const verdict = judgeAgents(input({ receipts: [once!, idempotent!, again(idempotent!, 3)] }));
    expect(verdict).toMatchObject({ agents: 1, effects: 2, violations: [] });
    expect(isCleanOfAgents(verdict)).toBe(true);
  });

  it.each<[string, AgentsInput, object]>([
    ['an effect that happened twice under one key', input({ receipts: [...input().receipts, again(input().receipts[0]!, 3)] }), { effectsTwice: 1 }],
    ['an effect that happened again under another key', input({ receipts: [...input().receipts, again(input().receipts[1]!, 3, { key: 'other' })] }), { effectsTwice: 1 }],
    ['a call that never had its effect', input({ receipts: input().receipts.slice(1) }), { effectsMissing: 1 }],
    ['a call beyond a limit', input({ receipts: [...input().receipts, receipt(3, 'once')] }), { effectsBeyond: 1 }],
    ['a call of a tool that nobody owes', input({ receipts: [...input().receipts, receipt(3, 'other')] }), { effectsBeyond: 1 }],
    ['a receipt without a key', input({ receipts: [...input().receipts, receipt(3, 'once', { key: null })] }), { receiptsMalformed: 1 }],
    ['a key that came with another body', input({ receipts: [...input().receipts, again(input().receipts[1]!, 3, { bodySha256: 'x' })] }), { receiptsMalformed: 1 }],
    ['an effect of an execution that nobody asked for', input({ receipts: [...input().receipts, receipt(3, 'once', { execution: 'e9' })] }), { receiptsMalformed: 1 }],
    ['an agent that ended otherwise', input({ results: [{ executionId: 'e1', status: 'faulted' }] }), { endedOtherwise: 1 }],
    ['an agent that never ended', input({ results: [] }), { endedOtherwise: 1 }],
    ['benign agents that do not complete', input({ asked: [asked({ kind: 'benign' })], results: [] }), { benignCompleted: 0 }],
    ['nothing at all', input({ asked: [], receipts: [] }), { agents: 0 }],
  ])('notices %s', (_what, given, counts) => {
    const verdict = judgeAgents(given);
    expect(verdict).toMatchObject(counts);
    expect(isCleanOfAgents(verdict)).toBe(false);
  });
});
