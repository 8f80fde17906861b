import { describe, expect, it } from 'vitest';
import { originOf, prepareTool } from './prepare-tool.js';
import type { HttpTool } from './tool.js';
import { expandUri, uriTemplateProblem } from './uri-template.js';

const tool = (more: Partial<Omit<HttpTool, 'http'>> & { http?: Partial<HttpTool['http']> } = {}): HttpTool => ({
  name: 'send',
  description: 'Sends.',
  kind: 'http',
  effect: 'non-idempotent-write',
  input: { type: 'object' },
  timeoutMs: 1000,
  ...more,
  http: { method: 'POST', url: 'https://mail.example/outbox/{box}', headers: {}, ...more.http },
});
const ready = (definition: HttpTool) => {
  const made = prepareTool(definition);
  if (!made.ok) throw new Error(made.problems.join('\n'));
  return made.tool;
};

describe('a URI template of level 1', () => {
  it('percent-encodes all but unreserved characters', () => {
    expect(expandUri('https://h/{a}/{b}', { a: "x/y z!'", b: 7 })).toEqual({ ok: true, text: 'https://h/x%2Fy%20z%21%27/7' });
  });

  it.each(['..', '.', '', null, { a: 1 }])('refuses %j, which could lead to another resource', (value) => {
    expect(expandUri('https://h/users/{id}', { id: value })).toMatchObject({ ok: false, failure: { code: 'input-invalid' } });
  });

  it('refuses other levels and lone braces', () => {
    expect(uriTemplateProblem('https://h/{+path}')).toContain('{+path}');
    expect(uriTemplateProblem('https://h/{id')).toContain('brace');
    expect(uriTemplateProblem('https://h/{id}')).toBeUndefined();
  });

  it('has an origin only when the host is written out', () => {
    expect(originOf('http://127.0.0.1:8080/x')).toBe('http://127.0.0.1:8080');
    expect(originOf('https://{host}/x')).toBeUndefined();
    expect(originOf('https://user@evil/x')).toBeUndefined();
  });
});

describe('an HTTP tool', () => {
  it('sends its arguments as JSON unless it declares a body', () => {
    expect(ready(tool()).requestFor({ box: 'a' })).toMatchObject({ ok: true, request: { url: 'https://mail.example/outbox/a', body: '{"box":"a"}', headers: { 'content-type': 'application/json' } } });
  });

  it('fills body, headers and secrets from its declaration', () => {
    const made = ready(
      tool({ http: { body: { to: '${ .mail }', fixed: [1, '${ .n + 1 }'] }, headers: { 'X-N': '${ .n }', 'X-None': '${ .missing }', authorization: { secret: 'MAIL', prefix: 'Bearer ' } } } }),
    );
    expect(made.requestFor({ box: 'a', mail: 'x@y', n: 1 })).toMatchObject({
      ok: true,
      request: { body: '{"to":"x@y","fixed":[1,2]}', headers: { 'X-N': '1', authorization: { secret: 'MAIL', prefix: 'Bearer ' } } },
    });
  });

  it('refuses a header value that would start another header', () => {
    expect(ready(tool({ http: { headers: { a: '${ .box }' } } })).requestFor({ box: 'x\r\ny' })).toMatchObject({ ok: false, failure: { code: 'input-invalid' } });
  });

  it('takes a URL from jq', () => {
    expect(ready(tool({ http: { url: '${ "https://h/" + .box }' } })).requestFor({ box: 'a' })).toMatchObject({ ok: true, request: { url: 'https://h/a' } });
  });

  it('reads what a hook tells, and knows when it does not', () => {
    const hook = ready(
      tool({ reconcile: { method: 'GET', url: 'https://mail.example/outbox/{box}/{key}', headers: {}, happened: 'if $status == 404 then false else .happened end', output: '.answer' } }),
    ).reconcile!;
    expect(hook.requestFor({ box: 'a' }, 'k/1')).toMatchObject({ ok: true, request: { url: 'https://mail.example/outbox/a/k%2F1' } });
    expect(hook.read({ happened: true, answer: { receipt: 3 } }, 200)).toEqual({ happened: true, output: { receipt: 3 } });
    expect(hook.read({}, 404)).toEqual({ happened: false });
    expect(hook.read({ error: 'x' }, 500)).toMatchObject({ happened: 'unclear' });
  });

  it('lists everything that is wrong with its declaration', () => {
    const made = prepareTool(
      tool({
        effect: 'idempotent-write',
        http: { method: 'GET', url: 'https://h/{a', headers: { host: 'x' }, body: '${ .a | }' },
        reconcile: { method: 'GET', url: 'ftp://x', headers: {}, happened: '.a' },
      }),
    );
    expect(made.ok).toBe(false);
    expect(made.ok ? [] : made.problems.map((problem) => problem.split(':')[0])).toEqual(['effect', 'reconcile', 'http.url', 'headers', 'http.body', 'reconcile.url']);
  });
});
