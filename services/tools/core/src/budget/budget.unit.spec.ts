import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetProblems, NOTHING, ONE_CALL, RESOURCES, sumOf, type Amount, type Budget, type Caps } from './budget.js';
import { periodEnd, periodStart } from './budget-period.js';
import { chargesOf, type Charge, type Spending } from './charge.js';
import { budgetExceeded, chargeKey, fit, type Tally, type Wish } from './reservation-fit.js';
import { amountOf, settlementOf } from './settlement.js';
import { completion, failureReport } from '../report/report.js';
import { rejection } from '@weft/kernel';
import type { Job } from '@weft/contracts';

const NOW = Date.parse('2026-03-15T10:30:00Z');
const EXECUTION = '01890000-0000-7000-8000-000000000001';
const budget = (more: Partial<Budget>): Budget => ({ tenant: 'default', scope: 'tool', name: 'mail', per: 'total', caps: { calls: 5 }, ...more });
const spending = (more: Partial<Spending> = {}): Spending => ({
  tenant: 'default',
  executionId: EXECUTION,
  workflow: 'acme/orders:1.0.0',
  agent: '',
  tool: 'mail',
  model: '',
  estimate: ONE_CALL,
  ...more,
});
const counters = (budgets: readonly Budget[], more: Partial<Spending> = {}): readonly string[] => chargesOf(budgets, spending(more), NOW).map(({ counter, start }) => `${counter} ${start}`);

describe('chargesOf', () => {
  it('draws on every budget that the job belongs to, and on no other', () => {
    const budgets = [
      budget({}),
      budget({ name: 'post' }),
      budget({ scope: 'tenant', name: '' }),
      budget({ scope: 'agent', name: 'helper' }),
      budget({ scope: 'model', name: 'mail' }),
      budget({ tenant: 'other' }),
    ];
    expect(counters(budgets)).toEqual(['tool/total/mail 0', 'tenant/total/ 0']);
    expect(counters(budgets, { agent: 'helper', tool: 'look' })).toEqual(['tenant/total/ 0', 'agent/total/helper 0']);
  });

  it('counts each execution of a workflow by itself, whatever its version', () => {
    const each = (name: string): readonly string[] => counters([budget({ scope: 'execution', name })]);
    expect([each('acme/orders'), each('acme/*'), each('*ders'), each('a*e/o*s')]).toEqual(Array(4).fill([`execution/total/${EXECUTION} 0`]));
    expect([each('acme/order'), each('other/*'), each('acme/orders*s')]).toEqual([[], [], []]);
  });

  it('takes the stricter limit where two budgets share a counter', () => {
    const [charge] = chargesOf([budget({ scope: 'execution', name: 'acme/*', caps: { calls: 9, tokens: 10 } })], spending({ executionCaps: { moneyMicros: 1, tokens: 50, calls: 3 } }), NOW);
    expect(charge?.caps).toEqual({ moneyMicros: 1, tokens: 10, calls: 3 });
  });

  it('leaves out budgets that limit nothing of what is spent', () => {
    expect(counters([budget({ caps: { tokens: 5 } })])).toEqual([]);
  });

  it('begins anew with each day and month of UTC', () => {
    expect(counters([budget({ per: 'day' }), budget({ per: 'month' })])).toEqual([`tool/day/mail ${Date.parse('2026-03-15')}`, `tool/month/mail ${Date.parse('2026-03-01')}`]);
  });
});

describe('periods', () => {
  it('agree with the calendar', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.parse('2400-01-01') }), (now) => {
        const date = new Date(now);
        expect(periodStart('day', now)).toBe(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
        expect(periodStart('month', now)).toBe(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
        expect(periodEnd('month', now)).toBe(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1));
        expect(periodEnd('day', now)).toBe(periodStart('day', now) + 86_400_000);
      }),
    );
  });
});

describe('fit', () => {
  const charge = (counter: string, caps: Caps): Charge => ({ tenant: 't', counter, start: 0, caps, budget: { scope: 'tool', name: counter, per: 'total' } });

  it('grants in order for as long as there is room, and lets a smaller one pass a larger one', () => {
    const charges = [charge('a', { tokens: 10 })];
    const wish = (tokens: number): Wish => ({ charges, amount: { ...NOTHING, tokens } });
    expect(fit([wish(6), wish(6), wish(4)], new Map()).map((shortage) => shortage === undefined)).toEqual([true, false, true]);
  });

  it('never exceeds a cap, takes nothing for what is refused, and refuses only what lacks room', () => {
    const amount = fc.record({ moneyMicros: fc.nat(5), tokens: fc.nat(5), calls: fc.nat(2) });
    const caps = fc.record({ moneyMicros: fc.nat(12), tokens: fc.nat(12), calls: fc.nat(4) }, { requiredKeys: [] });
    fc.assert(
      fc.property(
        fc.array(caps, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(amount, fc.uniqueArray(fc.nat(2), { maxLength: 3 })), { maxLength: 12 }),
        fc.array(amount, { minLength: 3, maxLength: 3 }),
        (limits, wanted, before) => {
          const charges = limits.map((limit, index) => charge(String(index), limit));
          const tallies = new Map<string, Tally>(charges.map((one, index) => [chargeKey(one), { spent: before[index]!, reserved: NOTHING }]));
          const wishes: Wish[] = wanted.map(([asked, on]) => ({ amount: asked, charges: on.flatMap((index) => charges[index] ?? []) }));
          const taken = new Map<string, Amount>();
          const results = fit(wishes, tallies);
          const after = (one: Charge, asked: Amount): Amount => sumOf(sumOf(tallies.get(chargeKey(one))!.spent, taken.get(chargeKey(one)) ?? NOTHING), asked);
          const exceeds = (one: Charge, asked: Amount): boolean => RESOURCES.some((resource) => asked[resource] > 0 && after(one, asked)[resource] > (one.caps[resource] ?? Infinity));
          wishes.forEach((wish, index) => {
            const lacks = wish.charges.some((one) => exceeds(one, wish.amount));
            expect(results[index] !== undefined).toBe(lacks);
            if (!lacks) for (const one of wish.charges) taken.set(chargeKey(one), sumOf(taken.get(chargeKey(one)) ?? NOTHING, wish.amount));
          });
        },
      ),
    );
  });

  it('says which budget lacks what', () => {
    const charges = [{ ...charge('mail', { calls: 3 }), budget: { scope: 'tool', name: 'mail', per: 'day' } as const, end: 99 }];
    const [shortage] = fit([{ charges, amount: ONE_CALL }], new Map([[chargeKey(charges[0]!), { spent: { ...NOTHING, calls: 2 }, reserved: ONE_CALL }]]));
    expect(budgetExceeded(shortage!, ONE_CALL)).toEqual(
      rejection('budget-exceeded', 'Expected 1 calls within the budget of tool mail per day but of 3 calls 2 calls are spent and 1 calls reserved.', {
        details: { scope: 'tool', name: 'mail', per: 'day', resource: 'calls', cap: 3, spent: 2, reserved: 1, asked: 1, renewsAtMs: 99 },
      }),
    );
  });
});

describe('settlementOf', () => {
  const job = { id: 'j', executionId: EXECUTION, generation: 0 } as Job;
  const estimate: Amount = { moneyMicros: 7, tokens: 100, calls: 1 };
  const failed = (code: string, outcome: 'failed' | 'unknown' | 'none') => settlementOf(failureReport(job, rejection(code, ''), outcome), estimate);

  it('frees what is known not to have happened, and counts everything else as spent', () => {
    expect(settlementOf(completion(job, '1', undefined, []), estimate)).toEqual({ state: 'spent', amount: estimate });
    expect(failed('http-status', 'failed')).toEqual({ state: 'freed' });
    expect(failed('effect-unknown', 'unknown')).toEqual({ state: 'spent', amount: estimate });
    expect(failed('denied', 'none')).toEqual({ state: 'freed' });
    // What was sent and then stopped, or refused in the other side's own words, has been a call.
    expect(settlementOf(failureReport(job, rejection('denied', ''), 'none'), estimate, true)).toEqual({ state: 'spent', amount: estimate });
    expect(settlementOf(failureReport(job, rejection('http-status', ''), 'failed'), estimate, true)).toEqual({ state: 'freed' });
    // A read that failed was sent, an unusable answer was given.
    expect([failed('timeout', 'none'), failed('output-invalid', 'none')].map(({ state }) => state)).toEqual(['spent', 'spent']);
  });

  it('takes the figures that are told, but for those that cannot be', () => {
    expect(amountOf({ inputTokens: 3, outputTokens: 4, moneyMicros: 1.2, calls: 1, estimated: false }, estimate)).toEqual({ moneyMicros: 2, tokens: 7, calls: 1 });
    expect(amountOf({ inputTokens: -3, outputTokens: Number.NaN, moneyMicros: -1, calls: 2, estimated: false }, estimate)).toEqual({ moneyMicros: 7, tokens: 100, calls: 2 });
  });
});

describe('budgetProblems', () => {
  it('tells every contradiction', () => {
    expect(budgetProblems(budget({}))).toEqual([]);
    expect(budgetProblems(budget({ caps: {} }))).toHaveLength(1);
    expect(budgetProblems(budget({ caps: { calls: -1 } }))).toHaveLength(1);
    expect(budgetProblems(budget({ scope: 'tenant' }))).toHaveLength(1);
    expect(budgetProblems(budget({ name: '' }))).toHaveLength(1);
    expect(budgetProblems(budget({ scope: 'execution', per: 'day' }))).toHaveLength(1);
    expect(budgetProblems(budget({ name: 'a\u0000' }))).toHaveLength(1);
  });
});
