import { describe, expect, it } from 'vitest';
import { messagesOf, withTasks } from './documents.testing.js';

const calling = (more: object, use: object = {}) => withTasks([{ a: { call: 'http', with: { method: 'get', endpoint: { uri: 'https://x.test' }, ...more } } }], { use } as never);
const authenticated = (authentication: object, use: object = {}) => calling({ endpoint: { uri: 'https://x.test', authentication } }, use);

describe('authentication and secrets', () => {
  it.each([
    ['a policy in place', authenticated({ basic: { username: 'ada', password: '${ .password }' } })],
    ['a policy by its name', authenticated({ use: 'ours' }, { authentications: { ours: { bearer: { token: 't' } } } })],
    ['a policy whose fields are a secret', authenticated({ digest: { use: 'login' } }, { secrets: ['login'] })],
    ['a secret in a header', calling({ headers: { 'x-key': '${ "Key \\($secrets.key)" }' } }, { secrets: ['key'] })],
    ['credentials in a header', calling({ headers: { 'x-again': '${ $authorization.parameter }' } })],
    ['a secret in a declared policy', authenticated({ use: 'ours' }, { secrets: ['key'], authentications: { ours: { bearer: { token: '${ $secrets.key }' } } } })],
  ])('accepts %s', (_what, document) => {
    expect(messagesOf(document)).toEqual([]);
  });

  it.each([
    [
      'a policy that is not declared',
      authenticated({ use: 'theirs' }, { authentications: { ours: { bearer: { token: 't' } } } }),
      /`use\.authentications` declares at \/do\/0\/a\/with\/endpoint\/authentication\/use but found "theirs"; declared: `ours`/,
    ],
    ['a secret of a policy that is not declared', authenticated({ basic: { use: 'login' } }), /`use\.secrets` declares at .*\/basic\/use but found "login", and there is no `use\.secrets`/],
    ['a secret of an expression that is not declared', calling({ headers: { 'x-key': '${ $secrets.other }' } }, { secrets: ['key'] }), /`use\.secrets` declares at .*x-key but found "other"/],
    ['secrets as a whole', calling({ body: '${ $secrets }' }, { secrets: ['key'] }), /the name of a secret, as in \$secrets\.name, at .*\/body but found \$secrets as a whole/],
    ['secrets by a computed name', calling({ body: '${ $secrets[.which] }' }, { secrets: ['key'] }), /the name of a secret, as in \$secrets\.name/],
    ['a secret in a condition', withTasks([{ a: { if: '$secrets.key == 1', set: { b: 1 } } }], { use: { secrets: ['key'] } }), /at \/do\/0\/a\/if, where \$context, .* exist, but found .*secrets/],
    ['a secret in what is stored', withTasks([{ a: { set: { b: '${ $secrets.key }' } } }], { use: { secrets: ['key'] } }), /at \/do\/0\/a\/set\/b/],
    ['a grant that needs a browser', authenticated({ oauth2: { authority: 'https://id.test', grant: 'authorization_code' } }), /a grant that needs no browser/],
  ])('refuses %s', (_what, document, message) => {
    expect(messagesOf(document as never).join('\n')).toMatch(message);
  });
});
