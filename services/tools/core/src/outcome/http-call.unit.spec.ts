import { describe, expect, it } from 'vitest';
import { outputOf, readHttpCall } from './http-call.js';

describe('call: http', () => {
  it.each([
    ['get', 'read'],
    ['HEAD', 'read'],
    ['PUT', 'idempotent-write'],
    ['DELETE', 'idempotent-write'],
    ['options', 'read'],
    ['POST', 'non-idempotent-write'],
    ['PATCH', 'non-idempotent-write'],
  ])('takes the effect class of %s from the method', (method, effect) => {
    expect(readHttpCall({ method, endpoint: 'https://example.com' })).toMatchObject({ ok: true, call: { effect } });
  });

  it('hands on the policy of its endpoint', () => {
    const authentication = { basic: { username: 'ada', password: 'x' } };
    expect(readHttpCall({ method: 'get', endpoint: { uri: 'https://example.com', authentication } })).toMatchObject({ ok: true, call: { authentication } });
  });

  it('sends an object as a form where its content type says so', () => {
    const reading = readHttpCall({ method: 'post', endpoint: 'https://example.com', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: { a: 'b c', list: [1, 2] } });
    expect(reading).toMatchObject({ ok: true, call: { request: { body: 'a=b%20c&list=1&list=2' } } });
  });

  it('builds query, headers and a JSON body', () => {
    const reading = readHttpCall({ method: 'POST', endpoint: { uri: 'https://example.com/a?x=1#top' }, query: { q: 'a b', n: [1, 2] }, headers: { 'X-Id': 7 }, body: { a: 1 } });
    expect(reading).toMatchObject({
      ok: true,
      call: { request: { url: 'https://example.com/a?x=1&q=a%20b&n=1&n=2#top', headers: { 'X-Id': '7', 'content-type': 'application/json' }, body: '{"a":1}' } },
    });
  });

  it.each([
    ['no method', { endpoint: 'https://example.com' }, 'input-invalid'],
    ['a method of its own', { method: 'BREW', endpoint: 'https://example.com' }, 'input-invalid'],
    ['another scheme', { method: 'GET', endpoint: 'file:///etc/passwd' }, 'input-invalid'],
    ['an unknown field', { method: 'GET', endpoint: 'https://example.com', follow: true }, 'input-invalid'],
    ['a header that Weft sets', { method: 'GET', endpoint: 'https://example.com', headers: { 'Idempotency-Key': 'mine' } }, 'input-invalid'],
    ['a line break in a header', { method: 'GET', endpoint: 'https://example.com', headers: { a: 'b\r\nhost: evil' } }, 'input-invalid'],
    ['an unknown output', { method: 'GET', endpoint: 'https://example.com', output: 'all' }, 'input-invalid'],
  ])('refuses %s', (_what, args, code) => {
    expect(readHttpCall(args)).toMatchObject({ ok: false, failure: { code } });
  });

  it('gives content, response or raw', () => {
    const request = { method: 'GET', url: 'https://example.com', headers: {} } as const;
    const answer = { status: 200, headers: { etag: 'x' }, content: { a: 1 }, base64: 'eyJhIjoxfQ==' };
    expect(outputOf('content', answer, request)).toEqual({ a: 1 });
    expect(outputOf('raw', answer, request)).toBe('eyJhIjoxfQ==');
    expect(outputOf('response', answer, request)).toEqual({ request: { method: 'GET', uri: 'https://example.com', headers: {} }, statusCode: 200, headers: { etag: 'x' }, content: { a: 1 } });
  });
});
