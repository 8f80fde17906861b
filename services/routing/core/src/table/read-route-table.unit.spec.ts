import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { isJsonPointer, valueAt } from './json-pointer.js';
import { readRouteTable } from './read-route-table.js';

const faultsOf = (document: Json): readonly string[] => {
  const reading = readRouteTable(document);
  return reading.ok ? [] : reading.faults;
};
const route = { name: 'a', when: { type: 'x' }, workflow: { namespace: 'n', name: 'w' } };
const model = { id: 'm', endpoint: 'https://models.example/v1', model: 'm-1', capabilities: ['json'] };

describe('readRouteTable', () => {
  it('reads a full table as it stands', () => {
    const document = {
      version: 1,
      models: [{ ...model, keySecret: 'key', simulated: true, tier: 'internal', pricePerMillionTokens: { input: 0.5, output: 2 } }],
      routes: [
        {
          name: 'a',
          when: { type: 'x.*', source: '/s*', tenant: 'acme', data: { '/a~1b/0': { deep: [1, null] } } },
          workflow: { namespace: 'n', name: 'w', version: '1.2.3' },
          models: { prefer: ['m'], require: ['json'], tiers: ['internal'] },
        },
      ],
    };
    expect(readRouteTable(document)).toEqual({ ok: true, table: document });
  });

  it('reads what a model is and is limited to, and when candidates are hedged', () => {
    const full = { ...model, dialect: 'anthropic', contextTokens: 200_000, outputTokensMax: 8_000, dimensions: 64, limits: { concurrency: 4, requestsPerMinute: 60, tokensPerMinute: 90_000 } };
    const document = { version: 1, models: [full], routes: [{ ...route, models: { hedge: { percentile: 95, afterMs: 400 } } }] };
    expect(readRouteTable(document)).toEqual({ ok: true, table: document });
    expect(
      faultsOf({
        version: 1,
        models: [{ ...full, dialect: 'x', limits: { concurrency: 0 } }],
        routes: [
          { ...route, models: { hedge: { percentile: 100 } } },
          { ...route, name: 'b', models: { hedge: {} } },
        ],
      }),
    ).toEqual([
      'models[0].dialect: expected "openai" or "anthropic" but got "x"',
      'models[0].limits.concurrency: expected an integer from 1 but got 0',
      'routes[0].models.hedge.percentile: expected an integer from 1 to 99 but got 100',
      'routes[1].models.hedge: expected percentile, afterMs or both but got {}',
    ]);
  });

  it('takes missing lists for empty ones', () => {
    expect(readRouteTable({ version: 1 })).toEqual({ ok: true, table: { version: 1, models: [], routes: [] } });
  });

  it('names all faults together, each at its place', () => {
    expect(
      faultsOf({
        version: 2,
        models: [{ ...model, endpoint: 'models.example', capabilities: ['jsn'], pricePerMillionTokens: { input: -1 } }, model],
        routes: [
          { ...route, when: { source: '/s' }, workflow: { namespace: 'N', name: 'w', version: 'one' }, models: { prefer: ['big'] } },
          { ...route, wen: {}, when: { type: 'a*b', data: { total: 1 } } },
        ],
      }),
    ).toEqual([
      'version: expected 1 but got 2',
      'models[0].pricePerMillionTokens.input: expected a number that is not negative but got -1',
      'models[0].pricePerMillionTokens.output: expected a number that is not negative but it is missing',
      'models[0].endpoint: expected an http or https URL but got "models.example"',
      'models[0].capabilities[0]: expected "json" or "tools" or "stream" or "embeddings" or "vision" or "prefill" but got "jsn"',
      'routes[0].workflow.version: expected a semantic version such as "1.0.0" but got "one"',
      'routes[0].when.type: expected an event type, or a prefix of it and "*" but it is missing',
      'routes[0].workflow.namespace: expected a namespace of a-z, 0-9 and "-" but got "N"',
      'routes[0].models.prefer[0]: expected the id of a model of this table (m) but got "big"',
      'routes[1].wen: expected one of the fields name, when, workflow, models but got "wen"',
      'routes[1].when.data.total: expected a JSON Pointer such as "/order/total" as the field name but got 1',
      'routes[1].when.type: expected an event type, or a prefix of it and "*" but got "a*b"',
      'models[1].id: expected id to be one that no other entry has but got "m"',
      'routes[1].name: expected name to be one that no other entry has but got "a"',
    ]);
  });

  it.each<[string, Json]>([
    ['text', 'routes'],
    ['nothing', null],
    ['a list', []],
    ['lists that are none', { version: 1, models: {}, routes: 3 }],
    ['entries that are none', { version: 1, models: [1], routes: ['a'] }],
    ['a route of scalars', { version: 1, routes: [{ name: 1, when: 2, workflow: 3, models: 4 }] }],
  ])('refuses %s in place of a table', (_, document) => {
    expect(faultsOf(document).length).toBeGreaterThan(0);
  });
});

describe('canonicalJson', () => {
  it('gives equal values the same text whatever their order of fields', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  });
});

describe('valueAt', () => {
  it.each<[string, Json | undefined]>([
    ['', { 'a/b': [{ '~': 1 }], c: null }],
    ['/a~1b/0/~0', 1],
    ['/c', null],
    ['/a~1b/00', undefined],
    ['/a~1b/1', undefined],
    ['/c/d', undefined],
    ['/toString', undefined],
  ])('follows %j', (pointer, expected) => {
    expect(isJsonPointer(pointer)).toBe(true);
    expect(valueAt({ 'a/b': [{ '~': 1 }], c: null }, pointer)).toEqual(expected);
  });
});
