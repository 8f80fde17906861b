// How a call says who is calling.
import type { JsonObject } from '@weft/kernel';
import { exactlyOne, fields, listOf, oneOfTexts, plainText, text } from './forms.js';

/** Schemes of authentication. */
export const AUTHENTICATION_SCHEMES: readonly string[] = ['basic', 'bearer', 'digest', 'oauth2', 'oidc'];

const GRANTS = ['authorization_code', 'client_credentials', 'password', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'];
const CLIENT_AUTHENTICATIONS = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'];

/** Properties in place, or the name of a secret that holds them. */
const orSecret = (title: string, properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  title,
  if: { type: 'object', required: ['use'] },
  then: fields('a secret { use }', { use: text('the name of a secret in `use.secrets`', { minLength: 1 }) }),
  else: fields(title, properties, { required }),
});

const credentials = { username: plainText, password: plainText };
const token = fields('a token { token, type }', { token: plainText, type: plainText }, { required: ['token', 'type'] });

const oauth2: JsonObject = {
  authority: text('an absolute URI', { pattern: '^[A-Za-z][A-Za-z0-9+.-]*://.*' }),
  grant: oneOfTexts(...GRANTS),
  client: fields('a client { id?, secret?, assertion?, authentication? }', { id: plainText, secret: plainText, assertion: plainText, authentication: oneOfTexts(...CLIENT_AUTHENTICATIONS) }),
  request: fields('a token request { encoding? }', { encoding: oneOfTexts('application/x-www-form-urlencoded', 'application/json') }),
  issuers: listOf('a list of issuers', plainText),
  scopes: listOf('a list of scopes', plainText),
  audiences: listOf('a list of audiences', plainText),
  ...credentials,
  subject: token,
  actor: token,
};

const endpoints = fields('endpoints { token?, revocation?, introspection? }', { token: plainText, revocation: plainText, introspection: plainText });

const schemes: JsonObject = {
  basic: orSecret('basic authentication { username, password } or { use }', credentials, ['username', 'password']),
  bearer: orSecret('bearer authentication { token } or { use }', { token: plainText }, ['token']),
  digest: orSecret('digest authentication { username, password } or { use }', credentials, ['username', 'password']),
  oauth2: orSecret('oauth2 authentication', { ...oauth2, endpoints }),
  oidc: orSecret('oidc authentication', oauth2),
};

export const AUTHENTICATION: JsonObject = {
  authenticationPolicy: fields('an authentication policy', schemes, { allOf: [exactlyOne(...AUTHENTICATION_SCHEMES)] }),
  authentication: fields(
    'an authentication policy, or { use } with the name of one in `use.authentications`',
    { use: text('the name of a policy in `use.authentications`', { minLength: 1 }), ...schemes },
    { allOf: [exactlyOne('use', ...AUTHENTICATION_SCHEMES)] },
  ),
};
