import { describe, expect, it } from 'vitest';
import { isCleanOfEffects, judgeEffects, type EffectsInput, type EffectsVerdict, type EffectTool } from './effects-checker.js';
import type { Receipt } from './receipt-file.js';

const tool = (kind: EffectTool['kind']): EffectTool => ({ name: `http.${kind}`, face: 'http', tool: kind, kind });
const receipt = (execution: string, more: Partial<Receipt>): Receipt => ({
  receipt: 1,
  at: { monotonicNs: '1', wallMs: 1 },
  face: 'http',
  tool: 'idempotent',
  key: `${execution}-key`,
  execution,
  task: 't',
  iteration: '',
  bodySha256: '',
  fault: null,
  ...more,
});
const asked = (executionId: string, kind: string, told: string, fault = 'lost') => ({ id: executionId, tool: `http.${kind}`, executionId, fault, told });

const CLEAN: EffectsInput = {
  tools: [tool('idempotent'), tool('asked'), tool('blind')],
  asked: [asked('e1', 'idempotent', 'completed'), asked('e2', 'asked', 'completed'), asked('e3', 'blind', 'person'), asked('e4', 'asked', 'faulted', 'refused'), asked('e5', 'asked', 'completed', '')],
  receipts: [
    receipt('e1', { fault: 'lost' }),
    receipt('e1', {}),
    receipt('e2', { tool: 'asked', fault: 'error' }),
    receipt('e3', { tool: 'blind', fault: 'lost' }),
    receipt('e4', { tool: 'asked', fault: 'refused' }),
    receipt('e5', { tool: 'asked' }),
  ],
};
const withTold = (execution: string, told: string): Partial<EffectsInput> => ({ asked: CLEAN.asked.map((one) => (one.executionId === execution ? { ...one, told } : one)) });
const withReceipt = (...more: readonly Receipt[]): Partial<EffectsInput> => ({ receipts: [...CLEAN.receipts, ...more] });

describe('the judge of effects', () => {
  it('finds nothing where every effect happened once and everybody was told so', () => {
    const verdict = judgeEffects(CLEAN);
    expect(verdict).toMatchObject({ calls: 5, faults: 3, byFace: { http: 3 }, refused: 1, persons: 1, benign: 1, benignDone: 1, details: [] });
    expect(isCleanOfEffects(verdict)).toBe(true);
  });

  it.each<[string, keyof EffectsVerdict, Partial<EffectsInput>]>([
    ['an idempotent effect under two keys', 'duplicates', withReceipt(receipt('e1', { key: 'another' }))],
    ['an idempotent effect that was sent again without a key', 'duplicates', withReceipt(receipt('e1', { key: null }))],
    ['a blind retry', 'blindRetries', withReceipt(receipt('e3', { tool: 'blind' }))],
    ['an effect that was told to have failed', 'falselyFailed', withTold('e2', 'faulted')],
    ['an effect that was told to be done and was not', 'falselyDone', withTold('e4', 'completed')],
    ['a person who is asked what the receiver can tell', 'unsettled', withTold('e2', 'person')],
    ['a call without an end', 'unsettled', withTold('e1', 'running')],
  ])('finds %s', (_what, count, more) => {
    const verdict = judgeEffects({ ...CLEAN, ...more });
    expect(verdict[count]).toBe(1);
    expect(verdict.details).toHaveLength(1);
    expect(isCleanOfEffects(verdict)).toBe(false);
  });

  it('wants faults and benign calls', () => {
    expect(isCleanOfEffects(judgeEffects({ ...CLEAN, receipts: CLEAN.receipts.map((one) => ({ ...one, fault: null })) }))).toBe(false);
    expect(isCleanOfEffects(judgeEffects({ ...CLEAN, ...withTold('e5', 'faulted') }))).toBe(false);
  });
});
