import { KillSwitches, labelMatcher, policiesOfGrants, type DataClass, type EffectClass, type Grant, type KillSwitch, type PermissionRequest } from '@weft/tools/core';
import { describe, expect, it } from 'vitest';
import { CedarEngine } from './cedar-engine.js';
import { Permissions, type Permitted } from './permissions.js';
import { parsePolicies, policySetOf } from './policy-set.js';

interface World {
  readonly grants?: readonly Grant[];
  readonly policies?: string;
  readonly off?: readonly KillSwitch[];
}

function permissionsOf({ grants = [], policies = '', off = [] }: World): Permissions {
  const set = policySetOf([...policiesOfGrants(grants, 'grants.yaml'), ...(policies === '' ? [] : parsePolicies(policies, 'policies.cedar'))]);
  const isTrusted = labelMatcher(['request:/crm']);
  return new Permissions(new CedarEngine(set, isTrusted), { current: new KillSwitches(off), isFresh: true, refresh: async () => undefined, onChange: () => () => undefined }, isTrusted);
}

interface Call {
  readonly tenant?: string;
  readonly workflow?: string;
  readonly agent?: string;
  readonly actor?: string;
  readonly tool?: string;
  readonly effect?: EffectClass;
  readonly data?: DataClass;
  readonly args?: PermissionRequest['arguments'];
  readonly taint?: readonly string[];
  readonly now?: number;
}

const calling = ({
  tenant = 'default',
  workflow = 'acme/x:1.0.0',
  agent = '',
  actor = 'key:1',
  tool = 'send',
  effect = 'non-idempotent-write',
  data = 'public',
  args = {},
  taint = [],
  now = 0,
}: Call): PermissionRequest => ({
  by: { tenant, actor, workflow, agent },
  on: { action: 'call', name: tool, pin: '', effect, data, source: 'declared' },
  arguments: args,
  circumstances: { taint, purpose: '', now, pointer: '/do/0/a' },
});
const decide = (world: World, call: Call): Permitted => permissionsOf(world).permit({ request: calling(call), attenuation: undefined, approvals: [] });
const GRANT: Grant = { tenant: 'default', workflow: 'acme/*', tools: ['send'], kinds: [] };

describe('roles x tools x tenants', () => {
  const permissions = permissionsOf({
    grants: [
      { tenant: 'default', workflow: 'acme/support', tools: ['mail', 'crm.*'], kinds: ['infer'], agents: ['triager'] },
      { tenant: 'default', workflow: 'acme/*', tools: ['clock'], kinds: [] },
      { tenant: 'other', workflow: 'acme/support', tools: ['mail'], kinds: [], actors: ['user:ann'] },
      { tenant: '*', workflow: 'bench/chain', tools: ['*'], kinds: [], agents: ['*'] },
    ],
    policies: `
      permit(principal == Weft::Agent::"default/acme/support/closer", action == Weft::Action::"call", resource == Weft::Tool::"mail");
      forbid(principal, action == Weft::Action::"call", resource == Weft::Tool::"crm.drop");`,
  });

  // Written by hand from what the entries above are to mean: tenant, workflow, agent, actor, then the tools that are allowed.
  const TOOLS = ['mail', 'crm.read', 'crm.drop', 'clock', 'nothing'];
  const TABLE: readonly (readonly [string, string, string, string, readonly string[]])[] = [
    ['default', 'acme/support:1', '', 'user:ann', ['mail', 'crm.read', 'clock']],
    ['default', 'acme/support:2', '', 'key:9', ['mail', 'crm.read', 'clock']],
    ['default', 'acme/support:1', 'triager', 'user:ann', ['mail', 'crm.read']],
    ['default', 'acme/support:1', 'closer', 'user:ann', ['mail']],
    ['default', 'acme/support:1', 'stranger', 'user:ann', []],
    ['default', 'acme/sales:1', '', 'user:ann', ['clock']],
    ['default', 'acme/sales:1', 'triager', 'user:ann', []],
    ['default', 'evil/support:1', '', 'user:ann', []],
    ['other', 'acme/support:1', '', 'user:ann', ['mail']],
    ['other', 'acme/support:1', '', 'user:bob', []],
    ['other', 'acme/support:1', 'triager', 'user:ann', []],
    ['other', 'acme/support:1', 'closer', 'user:ann', []],
    ['third', 'acme/support:1', '', 'user:ann', []],
    ['third', 'bench/chain:1', '', '', ['mail', 'crm.read', 'clock', 'nothing']],
    ['third', 'bench/chain:1', 'any', '', ['mail', 'crm.read', 'clock', 'nothing']],
    ['third', 'bench/chain/x:1', '', '', []],
  ];

  it.each(TABLE)('%s %s agent=%s for %s may use %j', (tenant, workflow, agent, actor, allowed) => {
    // Twice: from the engine, and from what is kept.
    for (let round = 0; round < 2; round++) {
      const may = TOOLS.filter((tool) => permissions.permit({ request: calling({ tenant, workflow, agent, actor, tool }), attenuation: undefined, approvals: [] }).kind === 'allow');
      expect(may).toEqual(allowed);
    }
  });
});

describe('denials', () => {
  it('say what to add to the grants file, for the principal that lacks it', () => {
    expect(decide({}, {})).toMatchObject({ kind: 'deny', failure: { code: 'denied', message: expect.stringContaining('{tenant: default, workflow: acme/x, tools: [send]}') as string } });
    expect(decide({ grants: [GRANT] }, { agent: 'triager' })).toMatchObject({
      failure: { message: expect.stringContaining('{tenant: default, workflow: acme/x, agents: [triager], tools: [send]}') as string },
    });
  });

  it('name the policies that forbid, with their place', () => {
    const policies = '\n@id("never")\nforbid(principal, action, resource);';
    expect(decide({ grants: [GRANT], policies }, {})).toMatchObject({
      kind: 'deny',
      failure: { message: expect.stringContaining('never (policies.cedar:2)') as string, details: { policies: ['never'] } },
    });
  });

  it('name the policies whose conditions do not hold', () => {
    const policies = '@id("by-day")\npermit(principal, action, resource) when { context.purpose == "day" };';
    expect(decide({ policies }, {})).toMatchObject({ failure: { message: expect.stringContaining('Conditions that do not hold: by-day') as string } });
  });
});

describe('arguments', () => {
  const policies = `@id("home")
permit(principal, action == Weft::Action::"call", resource == Weft::Tool::"send")
when { context.arguments.text.hasTag("/to") && context.arguments.text.getTag("/to") like "*@example.com" };
@id("large")
forbid(principal, action == Weft::Action::"call", resource == Weft::Tool::"send")
when { context.arguments.number.hasTag("/amount") && context.arguments.number.getTag("/amount") > 100 };`;

  it.each<[PermissionRequest['arguments'], Permitted['kind']]>([
    [{ to: 'ann@example.com' }, 'allow'],
    [{ to: 'ann@example.com', amount: 100 }, 'allow'],
    [{ to: 'ann@example.com', amount: 101 }, 'deny'],
    [{ to: 'ann@evil.example' }, 'deny'],
    [{}, 'deny'],
    // What slips past a comparison of another type is denied for it.
    [{ to: 'ann@example.com', amount: 100.5 }, 'deny'],
    [{ to: 'ann@example.com', amount: '101' }, 'deny'],
    [{ to: 'ann@example.com', amount: [101] }, 'deny'],
    [{ to: 'ann@example.com', amount: 1e300 }, 'deny'],
    [{ to: ['ann@example.com'] }, 'deny'],
    [{ to: null }, 'deny'],
  ])('%j: %s', (args, kind) => {
    expect(decide({ policies }, { args }).kind).toBe(kind);
  });

  it('are judged anew for each value, however often others were asked before', () => {
    const permissions = permissionsOf({ policies });
    const kinds = ['ann@example.com', 'eve@evil.example', 'ann@example.com'].map((to) => permissions.permit({ request: calling({ args: { to } }), attenuation: undefined, approvals: [] }).kind);
    expect(kinds).toEqual(['allow', 'deny', 'allow']);
  });
});

describe('circumstances', () => {
  it.each<[string, Call, Call]>([
    ['private', { taint: [] }, { taint: ['private:tool:crm'] }],
    ['untrusted', { taint: ['request:/crm'] }, { taint: ['tool:web'] }],
    ['actor.name == "key:9"', { actor: 'key:1' }, { actor: 'key:9' }],
    ['time.toTime() > duration("18h")', { now: Date.UTC(2026, 0, 1, 12) }, { now: Date.UTC(2026, 0, 1, 19) }],
    ['taint.contains("tool:web")', { taint: ['tool:w'] }, { taint: ['tool:web'] }],
  ])('context.%s decides anew', (condition, fine, forbidden) => {
    const permissions = permissionsOf({ grants: [GRANT], policies: `forbid(principal, action, resource) when { context.${condition} };` });
    const kindOf = (call: Call): string => permissions.permit({ request: calling({ effect: 'read', ...call }), attenuation: undefined, approvals: [] }).kind;
    expect([kindOf(fine), kindOf(forbidden), kindOf(fine)]).toEqual(['allow', 'deny', 'allow']);
  });
});

describe('a person is asked', () => {
  const TAINT = ['tool:web', 'private:tool:crm'];

  it('when the Rule of Two wants it, whatever policies permit', () => {
    const asked = decide({ grants: [GRANT] }, { taint: TAINT, args: { to: 'ann' } });
    expect(asked).toMatchObject({
      kind: 'ask',
      failure: { code: 'approval-required' },
      approvalRequest: { digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string, reasons: [expect.stringContaining('private:tool:crm') as string] },
    });
    expect(decide({ grants: [GRANT] }, { taint: TAINT, effect: 'read' }).kind).toBe('allow');
    expect(decide({}, { taint: TAINT }).kind).toBe('deny');
  });

  it('when private data is what a write itself works with, and the input is untrusted', () => {
    const call = (taint: readonly string[], more: Call = {}): Permitted => decide({ grants: [GRANT] }, { data: 'private', taint, ...more });
    expect(call(['request:/web'])).toMatchObject({ kind: 'ask', approvalRequest: { reasons: [expect.stringContaining('private:tool:send') as string] } });
    expect(call(['request:/crm']).kind).toBe('allow');
    expect(call(['request:/web'], { effect: 'read' }).kind).toBe('allow');
  });

  const ASK = '@id("large") @ask("More than 100.")\nforbid(principal, action, resource) when { context.arguments.number.hasTag("/amount") && context.arguments.number.getTag("/amount") > 100 };';

  it('by a policy that says so, where nothing else forbids and something permits', () => {
    expect(decide({ grants: [GRANT], policies: ASK }, { args: { amount: 5 } }).kind).toBe('allow');
    expect(decide({ grants: [GRANT], policies: ASK }, { args: { amount: 500 } })).toMatchObject({ kind: 'ask', approvalRequest: { reasons: ['More than 100. (policy large)'] } });
    expect(decide({ policies: ASK }, { args: { amount: 500 } }).kind).toBe('deny');
    expect(decide({ grants: [GRANT], policies: `${ASK}\nforbid(principal, action, resource) when { context.untrusted };` }, { args: { amount: 500 }, taint: ['tool:web'] }).kind).toBe('deny');
  });

  it('and the answer counts for exactly that action, until it expires', () => {
    const permissions = permissionsOf({ grants: [GRANT] });
    const ask = (call: Call, digest?: string): Permitted =>
      permissions.permit({
        request: calling({ taint: TAINT, args: { to: 'ann' }, ...call }),
        attenuation: undefined,
        approvals: digest === undefined ? [] : [{ reviewId: 'r1', digest, decidedBy: ['user:ann'], decidedAtMs: 0, expiresAtMs: 1_000 }],
      });
    const asked = ask({});
    const digest = asked.kind === 'ask' ? asked.approvalRequest.digest : '';
    expect(ask({}, digest)).toMatchObject({ kind: 'approved', approval: { reviewId: 'r1' } });
    expect(ask({ args: { to: 'eve' } }, digest)).toMatchObject({ kind: 'ask', failure: { message: expect.stringContaining('r1 is for another action') as string } });
    expect(ask({ now: 1_000 }, digest)).toMatchObject({ kind: 'ask', failure: { message: expect.stringContaining('r1 has expired') as string } });
  });
});

describe('attenuation', () => {
  it('takes away and never gives', () => {
    const permissions = permissionsOf({ grants: [{ ...GRANT, agents: ['*'], tools: ['send', 'read'] }] });
    const kindOf = (tool: string, tools: string[]): string => permissions.permit({ request: calling({ tool, agent: 'a' }), attenuation: { tools, budget: undefined }, approvals: [] }).kind;
    expect([kindOf('send', ['se*']), kindOf('send', ['send']), kindOf('read', ['send', 'rea']), kindOf('read', []), kindOf('drop', ['*'])]).toEqual(['allow', 'allow', 'deny', 'deny', 'deny']);
  });
});

describe('what a model is shown', () => {
  it('leaves out what no circumstances permit, and nothing else', () => {
    const permissions = permissionsOf({
      policies: `permit(principal, action, resource == Weft::Tool::"sometimes") when { context.purpose == "x" };
        permit(principal, action, resource == Weft::Tool::"never");
        forbid(principal, action, resource == Weft::Tool::"never");
        permit(principal, action, resource == Weft::Tool::"by-others") when { principal.tenant == "other" };`,
    });
    const shown = ['sometimes', 'never', 'by-others', 'unheard-of'].filter((tool) => permissions.withheld(calling({ tool }), undefined) === undefined);
    expect(shown).toEqual(['sometimes']);
  });
});

describe('policies that cannot be used', () => {
  it.each([
    ['no Cedar', 'permit(principal, action', /^.*policies\.cedar:1: /m],
    ['an attribute that there is not', '\npermit(principal, action, resource)\nwhen { context.foo };', /policies\.cedar:3: .*attribute `foo`/],
    ['a tag that is not asked for first', 'permit(principal, action, resource) when { context.arguments.text.getTag("/to") == "x" };', /policies\.cedar:1: /],
    ['the same id twice', '@id("a") permit(principal, action, resource);\n@id("a") forbid(principal, action, resource);', /policies\.cedar:2: another policy has the id "a"/],
    ['a template', 'permit(principal == ?principal, action, resource);', /includes a template/],
  ])('are refused with their place: %s', (_what, policies, message) => {
    expect(() => permissionsOf({ policies })).toThrow(message);
  });

  it('are named all together', () => {
    expect(() => permissionsOf({ policies: 'permit(principal, action, resource) when { context.foo };\npermit(principal, action, resource) when { context.bar };' })).toThrow(/foo[\s\S]*bar/);
  });
});
