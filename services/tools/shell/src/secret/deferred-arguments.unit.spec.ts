import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { deferredArguments } from './deferred-arguments.js';

const secrets = (name: string): string | undefined => ({ KEY: 'hush-hush', LOGIN: '{"username": "ada", "password": "open sesame"}' })[name];
const waiting = (pointer: string, expression: string, names: readonly string[], more: object = {}): Json => ({ [pointer]: { expression, secrets: [...names], now: 0, ...more } }) as Json;
const read = (args: object, deferred: Json) => deferredArguments({ ...args, 'weft:deferred': deferred } as Json);

describe('arguments that wait for their secrets', () => {
  it('are filled at the place that each expression belongs to', () => {
    const given = read({ headers: { a: null }, body: { list: [1, null] } }, {
      ...(waiting('/headers/a', '"Key \\($secrets.KEY)"', ['KEY']) as object),
      ...(waiting('/body/list/1', '$secrets.LOGIN.username + .tail', ['LOGIN'], { input: { tail: '!' } }) as object),
    } as Json);
    expect(given.fill(secrets)).toMatchObject({ ok: true, args: { headers: { a: 'Key hush-hush' }, body: { list: [1, 'ada!'] } } });
    expect(given.secrets).toEqual(['KEY', 'LOGIN']);
  });

  it('show the expression instead of its value', () => {
    expect(read({ headers: { a: null } }, waiting('/headers/a', ' $secrets.KEY ', ['KEY'])).shown).toEqual({ headers: { a: '${ $secrets.KEY }' } });
  });

  it('fail by the name of a secret that is not configured', () => {
    const filling = read({ body: null }, waiting('/body', '$secrets.NONE', ['NONE'])).fill(secrets);
    expect(filling).toMatchObject({ ok: false, failure: { code: 'secret-missing', details: { secret: 'NONE' } } });
  });

  it('tell nothing of the value that an expression failed on', () => {
    const filling = read({ body: null }, waiting('/body', '$secrets.KEY.field', ['KEY'])).fill(secrets);
    expect(filling).toMatchObject({ ok: false, failure: { code: 'expression-failed' } });
    expect(JSON.stringify(filling)).not.toContain('hush');
  });

  it('leave what needs credentials as it is written until there are some', () => {
    const given = read({ headers: { a: null } }, waiting('/headers/a', '$authorization.parameter', []));
    expect(given.needsAuthorization).toBe(true);
    expect(given.fill(secrets)).toMatchObject({ ok: true, args: { headers: { a: '${ $authorization.parameter }' } } });
    expect(given.fill(secrets, { scheme: 'Bearer', parameter: 'token' })).toMatchObject({ ok: true, args: { headers: { a: 'token' } } });
  });

  it('withhold each value, also encoded, wherever it comes back', () => {
    const filling = read({ body: null }, waiting('/body', '$secrets.LOGIN', ['LOGIN'])).fill(secrets);
    if (!filling.ok) return expect.unreachable();
    const echoed = { 'open sesame': ['x open sesame y', 'open%20sesame', Buffer.from('open sesame').toString('base64')] };
    expect(filling.withheld.json(echoed)).toEqual({ '[secret LOGIN]': ['x [secret LOGIN] y', '[secret LOGIN]', '[secret LOGIN]'] });
  });

  it('are the arguments themselves where nothing waits', () => {
    const args = { method: 'get' };
    expect(deferredArguments(args).shown).toBe(args);
    expect(deferredArguments(args).fill(secrets)).toMatchObject({ ok: true, args });
  });
});
