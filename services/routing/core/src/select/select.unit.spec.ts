import { describe, expect, it } from 'vitest';
import type { CatalogueModel, RouteTable } from '../table/route-table.js';
import { select } from './select.js';

const model = (id: string, more: Partial<CatalogueModel> = {}): CatalogueModel => ({ id, endpoint: 'http://models.example/v1', model: `${id}-1`, capabilities: ['json'], ...more });
const table: RouteTable = {
  version: 1,
  models: [
    model('small', { pricePerMillionTokens: { input: 1, output: 2 } }),
    model('large', { capabilities: ['json', 'tools'], tier: 'internal', pricePerMillionTokens: { input: 5, output: 10 } }),
    model('plain', { capabilities: [] }),
    model('unpriced', { simulated: true, keySecret: 'provider-key' }),
  ],
  routes: [
    { name: 'vip', when: { type: 'com.example.complaint.v1', data: { '/customer/tier': 'gold' } }, workflow: { namespace: 'examples', name: 'vip', version: '1.0.0' } },
    { name: 'complaints', when: { type: 'com.example.complaint.*', source: '/shop*' }, workflow: { namespace: 'examples', name: 'triage' }, models: { prefer: ['large', 'small'], require: ['json'] } },
    { name: 'cheapest', when: { type: 'com.example.chat.v1', tenant: 'acme' }, workflow: { namespace: 'examples', name: 'chat' }, models: { require: ['json'] } },
    { name: 'private', when: { type: 'com.example.private.v1' }, workflow: { namespace: 'examples', name: 'chat' }, models: { tiers: ['internal'], require: ['tools'] } },
    { name: 'impossible', when: { type: 'com.example.impossible.v1' }, workflow: { namespace: 'examples', name: 'chat' }, models: { prefer: ['plain'], require: ['json'] } },
  ],
};
const complaint = { tenant: 'default', type: 'com.example.complaint.v1', source: '/shop/web', data: { customer: { tier: 'silver' } } };
const chosen = (request: Parameters<typeof select>[1]) => {
  const selected = select(table, request);
  if (!selected.ok) throw new Error(selected.rejection.message);
  return selected.choice;
};

describe('select', () => {
  it('chooses the first route that matches and says why', () => {
    expect(chosen({ ...complaint, data: { customer: { tier: 'gold' } } })).toMatchObject({
      rule: 'vip',
      workflow: { namespace: 'examples', name: 'vip', version: '1.0.0' },
      reasons: ['route vip is the first that matches', 'type is "com.example.complaint.v1"', 'data /customer/tier is "gold"'],
      models: [],
    });
  });

  it('says of every other route why it was not chosen, without repeating the request data', () => {
    const { rule, rejected } = chosen(complaint);
    expect(rule).toBe('complaints');
    expect(rejected.filter(({ kind }) => kind === 'workflow').map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'examples/vip:1.0.0 route vip: expected "gold" at data /customer/tier but something else is there',
      'examples/chat route cheapest: expected type "com.example.chat.v1" but got "com.example.complaint.v1"',
      'examples/chat route private: expected type "com.example.private.v1" but got "com.example.complaint.v1"',
      'examples/chat route impossible: expected type "com.example.impossible.v1" but got "com.example.complaint.v1"',
    ]);
    expect(JSON.stringify(rejected)).not.toContain('silver');
  });

  it('names a later route that matches too', () => {
    const { rejected } = chosen({ ...complaint, data: { customer: { tier: 'gold' } } });
    expect(rejected[0]).toEqual({ kind: 'workflow', name: 'examples/triage', reason: 'route complaints: matches too, but vip comes first' });
  });

  it('ranks models by the preference of the route and rejects the others with what they lack', () => {
    const { models, rejected } = chosen(complaint);
    expect(models.map(({ id, reason }) => `${id}: ${reason}`)).toEqual(['large: preferred by the route', 'small: fallback 1 of the route']);
    expect(rejected.filter(({ kind }) => kind === 'model')).toEqual([
      { kind: 'model', name: 'plain', reason: 'lacks json output; not among the models that the route prefers' },
      { kind: 'model', name: 'unpriced', reason: 'not among the models that the route prefers' },
    ]);
  });

  it('ranks by price where the route has no preference, the unpriced last', () => {
    const { models } = chosen({ ...complaint, type: 'com.example.chat.v1', tenant: 'acme' });
    expect(models.map(({ id }) => id)).toEqual(['small', 'large', 'unpriced']);
    expect(models[2]).toMatchObject({
      id: 'unpriced',
      endpoint: 'http://models.example/v1',
      model: 'unpriced-1',
      keySecret: 'provider-key',
      reason: 'qualifies; its price is not known',
      simulated: true,
    });
  });

  it('gives each candidate what the catalogue says of it, and says when the next one is asked too', () => {
    const priced = { ...table.models[0]!, dialect: 'anthropic' as const, contextTokens: 8_000, limits: { concurrency: 3 } };
    const hedged = { ...table, models: [priced, table.models[1]!], routes: [{ ...table.routes[2]!, models: { hedge: { percentile: 95 } } }] };
    const selected = select(hedged, { ...complaint, type: 'com.example.chat.v1', tenant: 'acme' }, ({ id }) => `digest of ${id}`);
    expect(selected.ok && selected.choice.models).toMatchObject([
      {
        hedge: { percentile: 95, afterMs: 1_000 },
        terms: { digest: 'digest of small', dialect: 'anthropic', contextTokens: 8_000, price: { input: 1, output: 2 }, limits: { concurrency: 3, requestsPerMinute: 0, tokensPerMinute: 0 } },
      },
      { terms: { digest: 'digest of large', dialect: 'openai', capabilities: ['json', 'tools'] } },
    ]);
  });

  it('keeps models of other privacy tiers out', () => {
    const { models, rejected } = chosen({ ...complaint, type: 'com.example.private.v1' });
    expect(models.map(({ id }) => id)).toEqual(['large']);
    expect(rejected).toContainEqual({ kind: 'model', name: 'small', reason: 'lacks tool calls; privacy tier: expected internal but it has none' });
  });

  it('refuses an event type that no route knows, naming those that are known', () => {
    expect(select(table, { ...complaint, type: 'com.example.order.v1' })).toMatchObject({
      ok: false,
      rejection: {
        code: 'no-route',
        message: expect.stringMatching(/^Expected an event type that a route matches \(vip: com\.example\.complaint\.v1, .*\) but got "com\.example\.order\.v1" from "\/shop\/web"\.$/),
      },
    });
  });

  it('refuses a known type whose other conditions fail, saying which', () => {
    expect(select(table, { ...complaint, type: 'com.example.chat.v1' })).toMatchObject({
      ok: false,
      rejection: {
        code: 'no-route',
        message: expect.stringContaining('Expected a request that a route matches'),
        details: { rejected: expect.arrayContaining([expect.objectContaining({ reason: 'route cheapest: expected tenant "acme" but got "default"' })]) },
      },
    });
  });

  it('refuses everything with an empty table', () => {
    expect(select({ version: 1, models: [], routes: [] }, complaint)).toMatchObject({ ok: false, rejection: { message: expect.stringContaining('the route table is empty') } });
  });

  it('refuses a request whose route finds no model that qualifies', () => {
    expect(select(table, { ...complaint, type: 'com.example.impossible.v1' })).toMatchObject({
      ok: false,
      rejection: { code: 'no-model', message: expect.stringContaining('plain lacks json output') },
    });
  });
});
