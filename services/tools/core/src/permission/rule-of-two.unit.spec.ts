import type { Approval } from '@weft/contracts';
import { describe, expect, it } from 'vitest';
import { actionSubject, actionText, approvalProblem } from './approval.js';
import { KillSwitches, type KillSwitch, type SwitchKind } from './kill-switch.js';
import type { PermissionRequest } from './permission-request.js';
import { exposureOf, labelMatcher, ruleOfTwo } from './rule-of-two.js';

const nothingTrusted = (): boolean => false;

describe('the Rule of Two', () => {
  // Every combination of the three, written out.
  it.each([
    [[], 'read', false],
    [['tool:web'], 'read', false],
    [['private:tool:crm'], 'read', false],
    [['tool:web', 'private:tool:crm'], 'read', false],
    [[], 'non-idempotent-write', false],
    [['tool:web'], 'non-idempotent-write', false],
    [['private:tool:crm'], 'idempotent-write', false],
    [['tool:web', 'private:tool:crm'], 'idempotent-write', true],
    [['private:tool:crm', 'request:/x'], 'non-idempotent-write', true],
  ] as const)('with %j and %s asks a person: %s', (taint, effect, asks) => {
    expect(ruleOfTwo(exposureOf(taint, nothingTrusted), effect) !== undefined).toBe(asks);
  });

  it('counts no source that the operator vouches for', () => {
    const isTrusted = labelMatcher(['request:/crm', 'tool:own.*']);
    expect(exposureOf(['request:/crm', 'tool:own.a', 'tool:owned', 'private:request:/crm'], isTrusted)).toEqual({ untrusted: ['tool:owned'], private: ['private:request:/crm'] });
  });

  it('cannot be talked out of private data: no pattern makes it trusted', () => {
    expect(exposureOf(['private:tool:crm'], labelMatcher(['*'])).private).toEqual(['private:tool:crm']);
  });
});

const request: PermissionRequest = {
  by: { tenant: 'default', actor: 'key:1', workflow: 'acme/x:1', agent: '' },
  on: { action: 'call', name: 'send', pin: 'p1', effect: 'non-idempotent-write', data: 'public', source: 'declared' },
  arguments: { to: 'ann', amount: 5 },
  circumstances: { taint: ['tool:a', 'model:b'], purpose: '', now: 0, pointer: '/do/0/a' },
};
const textOf = (more: Partial<PermissionRequest> = {}, reasons: readonly string[] = ['r']): string => actionText(actionSubject({ ...request, ...more }, reasons));

describe('the text of an action', () => {
  it('is the same whatever the order of fields and labels', () => {
    expect(textOf({ arguments: { amount: 5, to: 'ann' }, circumstances: { ...request.circumstances, taint: ['model:b', 'tool:a'] } })).toBe(textOf());
  });

  it.each<[string, Partial<PermissionRequest>]>([
    ['an argument', { arguments: { to: 'ann', amount: 6 } }],
    ['an argument more', { arguments: { to: 'ann', amount: 5, bcc: 'eve' } }],
    ['the tool', { on: { ...request.on, name: 'send-2' } as PermissionRequest['on'] }],
    ['the pin of the tool', { on: { ...request.on, pin: 'p2' } as PermissionRequest['on'] }],
    ['the workflow', { by: { ...request.by, workflow: 'acme/x:2' } }],
    ['the agent', { by: { ...request.by, agent: 'a' } }],
    ['the task', { circumstances: { ...request.circumstances, pointer: '/do/1/b' } }],
    ['what was seen', { circumstances: { ...request.circumstances, taint: ['tool:a', 'model:b', 'private:tool:crm'] } }],
  ])('changes with %s', (_what, more) => {
    expect(textOf(more)).not.toBe(textOf());
  });
});

describe('approvals', () => {
  const approval: Approval = { reviewId: 'r1', digest: 'd', decidedBy: ['user:ann'], decidedAtMs: 1, expiresAtMs: 100 };
  it.each<[string, Approval, number, boolean]>([
    ['of this action', approval, 99, true],
    ['of another action', { ...approval, digest: 'e' }, 0, false],
    ['that has expired', approval, 100, false],
    ['that never expires', { ...approval, expiresAtMs: 0 }, 1e15, true],
    ['that nobody decided', { ...approval, decidedBy: [] }, 0, false],
    ['that names no review', { ...approval, reviewId: '' }, 0, false],
  ])('%s', (_what, given, now, counts) => {
    expect(approvalProblem(given, 'd', now) === undefined).toBe(counts);
  });
});

describe('kill switches', () => {
  const off = (kind: SwitchKind, name: string, tenant = 'default'): KillSwitch => ({ kind, tenant, name, reason: 'Odd.', by: 'user:ann', at: 0 });
  const stoppable = { tenant: 'default', workflow: 'acme/x:1.0.0', agent: 'triager', target: 'send' };
  it.each<[string, KillSwitch, boolean]>([
    ['the tool', off('tool', 'send'), true],
    ['the tool of all tenants', off('tool', 'send', '*'), true],
    ['the tool of another tenant', off('tool', 'send', 'other'), false],
    ['another tool', off('tool', 'sen'), false],
    ['the agent', off('agent', 'triager'), true],
    ['an agent without a name', off('agent', ''), false],
    ['the workflow in any version', off('workflow', 'acme/x'), true],
    ['the tenant', off('tenant', ''), true],
    ['another tenant', off('tenant', '', 'other'), false],
    ['everything', off('everything', '', '*'), true],
  ])('on %s', (_what, given, stops) => {
    expect(new KillSwitches([given]).stopping(stoppable) !== undefined).toBe(stops);
  });
});
