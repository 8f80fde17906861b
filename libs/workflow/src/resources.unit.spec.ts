import type { JsonObject } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { withTasks } from './documents.testing.js';
import { rawUriOf } from './raw-uri.js';
import { resourcesOf } from './resources.js';

const at = (uri: string): JsonObject => ({ endpoint: uri });
const found = (tasks: readonly JsonObject[], more: JsonObject = {}): readonly string[] => resourcesOf(withTasks(tasks, more)).map(({ pointer, kind, uri }) => `${kind} ${pointer} ${uri ?? 'dynamic'}`);

describe('the external resources of a document', () => {
  it('are the schemas of the document, of its tasks and of their iterators', () => {
    const task = {
      listen: { to: { one: { with: { type: 'x' } } } },
      foreach: { output: { schema: { resource: at('https://a.test/item') } } },
      export: { schema: { resource: { endpoint: { uri: 'https://a.test/export' } } } },
    };
    expect(found([{ a: task }], { input: { schema: { resource: at('https://a.test/in') } }, output: { schema: { document: {} } } })).toEqual([
      'schema /input/schema/resource https://a.test/in',
      'schema /do/0/a/export/schema/resource https://a.test/export',
      'schema /do/0/a/foreach/output/schema/resource https://a.test/item',
    ]);
  });

  it('are what describes the services of its calls, and the source of its scripts', () => {
    expect(
      found([
        { a: { call: 'openapi', with: { document: at('https://a.test/pets.json'), operationId: 'x' } } },
        { b: { call: 'asyncapi', with: { document: at('https://a.test/events.yaml') } } },
        { c: { call: 'grpc', with: { proto: at('https://a.test/shop.proto') } } },
        { d: { call: 'a2a', with: { agentCard: at('https://a.test/card.json') } } },
        { e: { run: { script: { language: 'js', source: at('https://a.test/run.js') } } } },
      ]),
    ).toEqual([
      'openapi /do/0/a/with/document https://a.test/pets.json',
      'asyncapi /do/1/b/with/document https://a.test/events.yaml',
      'proto /do/2/c/with/proto https://a.test/shop.proto',
      'agentCard /do/3/d/with/agentCard https://a.test/card.json',
      'script /do/4/e/run/script/source https://a.test/run.js',
    ]);
  });

  it('are the functions that it calls by URL or from a catalogue, not its own nor those of the default catalogue', () => {
    const use = { catalogs: { shared: { endpoint: { uri: 'https://a.test/catalogue/' } } }, functions: { own: { call: 'http', with: { method: 'get', endpoint: 'https://a.test' } } } };
    const tasks = ['https://a.test/function.yaml', 'log:0.5.2@shared', 'own', 'infer', 'log:0.5.2@unknown'].map((call, i) => ({ [`t${i}`]: { call } }));
    expect(found(tasks, { use })).toEqual(['function /do/0/t0/call https://a.test/function.yaml', 'function /do/1/t1/call https://a.test/catalogue/functions/log/0.5.2/function.yaml']);
  });

  it('are those of its functions and extensions too', () => {
    const call = { call: 'openapi', with: { document: at('https://a.test/pets.json'), operationId: 'x' } };
    expect(found([{ a: { set: { b: 1 } } }], { use: { functions: { f: call }, extensions: [{ e: { extend: 'all', before: [{ b: call }] } }] } })).toEqual([
      'openapi /use/functions/f/with/document https://a.test/pets.json',
      'openapi /use/extensions/0/e/before/0/b/with/document https://a.test/pets.json',
    ]);
  });

  it('are dynamic where only an execution knows the URI', () => {
    expect(found([{ a: { call: 'openapi', with: { document: at('${ .uri }'), operationId: 'x' } } }, { b: { call: 'grpc', with: { proto: at('https://a.test/{name}.proto') } } }])).toEqual([
      'openapi /do/0/a/with/document dynamic',
      'proto /do/1/b/with/proto dynamic',
    ]);
  });

  it('carry the authentication of their endpoint itself, also where it is named', () => {
    const basic = { basic: { username: 'u', password: 'p' } };
    const endpoint = (authentication: JsonObject): JsonObject => ({ call: 'grpc', with: { proto: { endpoint: { uri: 'https://a.test', authentication } } } });
    const document = withTasks([{ a: endpoint(basic) }, { b: endpoint({ use: 'known' }) }, { c: endpoint({ use: 'unknown' }) }, { d: { call: 'log:1.0.0@shared' } }], {
      use: { authentications: { known: basic }, catalogs: { shared: { endpoint: { uri: 'https://a.test', authentication: { use: 'known' } } } } },
    });
    expect(resourcesOf(document).map(({ authentication }) => authentication)).toEqual([basic, basic, undefined, basic]);
  });
});

describe('a page of a Git host about a file', () => {
  it.each([
    ['https://github.com/o/r/tree/main/functions/log/1.0.0/function.yaml', 'https://raw.githubusercontent.com/o/r/refs/heads/main/functions/log/1.0.0/function.yaml'],
    ['https://github.com/o/r/blob/v1/a/b.json', 'https://raw.githubusercontent.com/o/r/refs/heads/v1/a/b.json'],
    ['https://github.com/o/r/functions/log/1.0.0/function.yaml', 'https://raw.githubusercontent.com/o/r/HEAD/functions/log/1.0.0/function.yaml'],
    ['https://gitlab.com/g/s/r/-/blob/main/a.yaml', 'https://gitlab.com/g/s/r/-/raw/main/a.yaml'],
    ['https://raw.githubusercontent.com/o/r/main/a.yaml', 'https://raw.githubusercontent.com/o/r/main/a.yaml'],
    ['https://example.com/tree/main/a', 'https://example.com/tree/main/a'],
  ])('%s means %s', (page, raw) => {
    expect(rawUriOf(page)).toBe(raw);
  });
});
