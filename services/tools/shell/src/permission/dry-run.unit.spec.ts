import { contextOf } from '@weft/contracts';
import { KillSwitches, policiesOfGrants, type Grant } from '@weft/tools/core';
import { describe, expect, it } from 'vitest';
import { CedarEngine } from './cedar-engine.js';
import { dryRun } from './dry-run.js';
import { Permissions } from './permissions.js';
import { policySetOf } from './policy-set.js';

const GRANT: Grant = { tenant: 'default', workflow: 'acme/*', tools: ['send'], kinds: ['http'] };
const switches = { current: new KillSwitches([]), isFresh: true, refresh: async () => undefined, onChange: () => () => undefined };
const permissions = new Permissions(new CedarEngine(policySetOf(policiesOfGrants([GRANT], 'grants.yaml')), () => false), switches, () => false);
const { authorize } = dryRun(permissions, { find: () => undefined }, () => 0);
const ask = (more: object) =>
  authorize(
    { workflow: 'acme/support', agent: '', kind: 'tool', tool: 'send', argumentsJson: '', taint: [], purpose: '', actor: '', budget: undefined, attenuation: undefined, ...more },
    contextOf({ tenant: 'default', actor: 'user:ann' }),
  );

describe('a dry run', () => {
  it('answers from the policies that jobs meet, and names them', async () => {
    expect(await ask({})).toMatchObject({ decision: 'allow', policies: [{ effect: 'permit' }], policyDigest: permissions.policyDigest });
    expect(await ask({ tool: 'pay' })).toMatchObject({ decision: 'deny', code: 'denied', needed: [expect.stringContaining('tools: [pay]')] });
    expect(await ask({ kind: 'http', tool: '' })).toMatchObject({ decision: 'allow' });
  });

  it.each([
    [{ tool: '' }, /name of a tool/],
    [{ kind: 'fly' }, /kind of tool, secret, http, .*infer/],
    [{ argumentsJson: '{' }, /arguments as JSON/],
  ])('refuses what says nothing that could be judged: %j', async (more, message) => {
    await expect(ask(more)).rejects.toMatchObject({ rejection: { code: 'request-invalid', message: expect.stringMatching(message) } });
  });
});
