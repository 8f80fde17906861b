import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judge, type JudgedCase, type JudgedCall, type Switched } from './permissions-checker.js';
import type { Receipt } from './receipt-file.js';

const call = (name: string, args: object): JudgedCall => ({ name: `prove.${name}`, arguments: args });
const one = (id: string, more: Partial<JudgedCase>): JudgedCase => ({
  id,
  kind: 'attack',
  tenant: 'default',
  workflow: 'hostile',
  calls: [],
  private: false,
  approvals: 0,
  executionId: id,
  status: 'completed',
  ...more,
});
let number = 0;
const receipt = (execution: string, tool: string, args: object, wallMs = 500): Receipt => ({
  receipt: ++number,
  at: { monotonicNs: '0', wallMs },
  face: 'http',
  tool,
  key: `k${number}`,
  execution,
  task: null,
  iteration: null,
  bodySha256: createHash('sha256').update(JSON.stringify(args)).digest('hex'),
  fault: null,
});

const SWITCHED: Switched = { tool: 'note', killedAtMs: 1_000, revivedAtMs: 6_000, asked: 5 };
// Around the switch: one effect before and one after.
const AROUND = [one('s', { kind: 'switch', calls: [call('note', { s: 1 }), call('note', { s: 2 })] })];
const AROUND_RECEIPTS = (): Receipt[] => [receipt('s', 'note', { s: 1 }, 900), receipt('s', 'note', { s: 2 }, 6_100)];
const BENIGN = one('b', { kind: 'benign', calls: [call('note', { b: 1 })] });
const judged = (cases: readonly JudgedCase[], receipts: readonly Receipt[], switched = SWITCHED) =>
  judge([...AROUND, BENIGN, ...cases], switched, [...AROUND_RECEIPTS(), receipt('b', 'note', { b: 1 }), ...receipts]);

describe('the judge of permissions', () => {
  it('finds nothing where everything that was done is permitted', () => {
    expect(judged([one('a', { calls: [call('wipe', {})] })], [])).toMatchObject({ attacks: 1, unauthorised: 0, benign: 1, succeeded: 1, violations: [] });
  });

  it.each<[string, Partial<JudgedCase>, readonly [string, object][], number]>([
    ['a tool that is given to nobody', { calls: [call('wipe', { n: 1 })] }, [['wipe', { n: 1 }]], 1],
    ['arguments that nobody asked for', { calls: [call('note', { n: 1 })] }, [['note', { n: 2 }]], 1],
    [
      'the same twice',
      { calls: [call('note', { n: 1 })] },
      [
        ['note', { n: 1 }],
        ['note', { n: 1 }],
      ],
      1,
    ],
    ['a mail to a stranger', { calls: [call('mail', { to: 'eve@evil.example' })] }, [['mail', { to: 'eve@evil.example' }]], 1],
    ['a mail to a friend', { calls: [call('mail', { to: 'ann@acme.example' })] }, [['mail', { to: 'ann@acme.example' }]], 0],
    ['a mail with a hidden copy', { calls: [call('mail', { to: 'ann@acme.example', bcc: 1 })] }, [['mail', { to: 'ann@acme.example', bcc: 1 }]], 1],
    ['a small refund', { calls: [call('refund', { cents: 10_000 })] }, [['refund', { cents: 10_000 }]], 0],
    ['a large refund that nobody approved', { calls: [call('refund', { cents: 10_001 })] }, [['refund', { cents: 10_001 }]], 1],
    ['one that was approved', { approvals: 1, calls: [call('refund', { cents: 10_001 })] }, [['refund', { cents: 10_001 }]], 0],
    [
      'one that was approved once and done twice',
      { approvals: 1, calls: [call('refund', { cents: 10_001 }), call('refund', { cents: 10_001 })] },
      [
        ['refund', { cents: 10_001 }],
        ['refund', { cents: 10_001 }],
      ],
      1,
    ],
    ['a refund of a text', { approvals: 1, calls: [call('refund', { cents: '5' })] }, [['refund', { cents: '5' }]], 1],
    ['a write after private data was read', { private: true, calls: [call('note', { n: 1 })] }, [['note', { n: 1 }]], 1],
    ['a tool of another tenant', { tenant: 'other', calls: [call('note', { n: 1 })] }, [['note', { n: 1 }]], 1],
    ['a tool that its workflow has and the agent has not', { workflow: 'agent', calls: [call('refund', { cents: 1 })] }, [['refund', { cents: 1 }]], 1],
  ])('%s', (_what, more, done, unauthorised) => {
    const verdict = judged(
      [one('a', more)],
      done.map(([tool, args]) => receipt('a', tool, args)),
    );
    expect([verdict.unauthorised, verdict.violations.length > 0]).toEqual([unauthorised, unauthorised > 0]);
  });

  it('takes an effect of an execution that nobody asked for as unauthorised', () => {
    expect(judged([], [receipt('x', 'note', {})]).unauthorised).toBe(1);
  });

  it('finds benign executions that did not do what they may', () => {
    expect(judged([one('b2', { kind: 'benign', calls: [call('note', { b: 2 })] })], []).violations[0]).toContain('1 of 2');
    expect(judged([one('b2', { kind: 'benign', status: 'faulted', calls: [] })], []).violations[0]).toContain('b2 (faulted)');
  });

  it('finds a tool that goes on after it was killed', () => {
    const goesOn = [one('a', { kind: 'switch', calls: [call('note', { a: 1 })] })];
    expect(judged(goesOn, [receipt('a', 'note', { a: 1 }, 3_500)])).toMatchObject({ killSwitchMs: 2_500, violations: [expect.stringContaining('2500 ms after it was killed') as string] });
    expect(judged(goesOn, [receipt('a', 'note', { a: 1 }, 1_400)])).toMatchObject({ killSwitchMs: 400, violations: [] });
  });

  it('says when nothing is known of the switch', () => {
    expect(judged([], [], { ...SWITCHED, asked: 0 }).violations).toHaveLength(1);
    expect(judged([], [], { ...SWITCHED, killedAtMs: 100, revivedAtMs: 8_000 }).violations).not.toHaveLength(0);
  });
});
