import { describe, expect, it } from 'vitest';
import { compileForeignSchema, compileLimits, isWithin } from './schemas.js';

describe('a schema of somebody else', () => {
  it('checks like any other', () => {
    const check = compileForeignSchema({ type: 'object', properties: { a: { type: 'string', pattern: '^[a-z]+$' } }, required: ['a'] });
    expect(check({ a: 'abc' })).toBeUndefined();
    expect(check({ a: 'ABC' })).toContain('pattern');
    expect(check({})).toContain('required');
  });

  it('cannot hold up the process by a pattern that backtracks', () => {
    const check = compileForeignSchema({ type: 'string', pattern: '^(a+)+$' });
    // Backtracking would take longer than the universe is old.
    expect(check(`${'a'.repeat(5_000)}!`)).toContain('pattern');
  });

  it.each([
    ['a look-around', { type: 'string', pattern: '(?=a)b' }],
    ['a back reference', { type: 'string', pattern: '(a)\\1' }],
    ['a type that there is not', { type: 'nonsense' }],
    ['a reference to somewhere else', { $ref: 'https://evil.example/schema.json' }],
  ])('is refused for %s', (_what, schema) => {
    expect(() => compileForeignSchema(schema)).toThrow();
  });
});

describe('a path that has to stay in a folder', () => {
  it.each(['/srv/data', '/srv/data/', '/srv/data/a', '/srv/data/a/../b', '/srv/data/./a', '/srv/data//a', '/srv/../srv/data/a', '/srv/data/..a', '/srv/data/a b'])('may be %s', (path) => {
    expect(isWithin('/srv/data', path)).toBe(true);
  });

  it.each([
    '/',
    '/srv',
    '/srv/data2',
    '/srv/data-x/a',
    '/srv/data/..',
    '/srv/data/../x',
    '/srv/data/a/../../x',
    'a',
    './a',
    '../a',
    '',
    '~',
    '~/a',
    '/srv/data/%2e%2e/x',
    '/srv/data\\..\\x',
    '/srv/data/a\u0000',
    'file:///srv/data/a',
    '//srv/data/../x',
  ])('may not be %j', (path) => {
    expect(isWithin('/srv/data', path)).toBe(false);
  });

  it('is a keyword of the limits that an operator declares, also in lists', () => {
    const check = compileLimits({ properties: { path: { within: '/srv' }, paths: { items: { within: '/srv' } } } });
    expect(check({ path: '/srv/a', paths: ['/srv/b'] })).toBeUndefined();
    expect(check({ path: '/etc/passwd' })).toContain('out of its folder');
    expect(check({ paths: ['/srv/b', '/etc/passwd'] })).toContain('/paths/1');
    expect(() => compileLimits({ properties: { path: { within: 'relative' } } })).toThrow('absolute');
  });
});

describe('items that are to be unique', () => {
  it.each([
    [
      'equal objects, whatever the order of their fields',
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      false,
    ],
    ['equal numbers', [1, 2, 1.0], false],
    ['values of different kinds that look alike', [1, '1', [1], { a: 1 }, true, 'true', null], true],
    ['a hundred thousand lists, each looked at once', Array.from({ length: 100_000 }, (_, at) => [at]), true],
  ])('%s', (_what, items, areUnique) => {
    expect(compileForeignSchema({ type: 'array', uniqueItems: true })(items) === undefined).toBe(areUnique);
    expect(compileForeignSchema({ type: 'array', uniqueItems: false })(items)).toBeUndefined();
  });
});
