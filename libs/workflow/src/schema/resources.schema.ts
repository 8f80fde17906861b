// What lies elsewhere: endpoints, external resources, catalogues; and schemas, which may.
import type { JsonObject } from '@weft/kernel';
import { exactlyOne, fields, plainText, ref, SCHEME, text, WHOLE_EXPRESSION } from './forms.js';

const PLACEHOLDERS = '[^\\s{}]*(?:\\{[A-Za-z0-9_]+\\}[^\\s{}]*)*';

/** A URI, or one with how its holder is authenticated. */
const endpoint = (uri: JsonObject): JsonObject => ({
  title: 'an endpoint',
  if: { type: 'string' },
  then: uri,
  else: fields('an endpoint: a URI, or an object { uri, authentication? }', { uri, authentication: ref('authentication') }, { required: ['uri'] }),
});

export const RESOURCES: JsonObject = {
  httpUri: text('a URI that starts with http:// or https:// and has {name} for its variables, or an expression `${ ... }`', {
    pattern: `^(?:${WHOLE_EXPRESSION}|https?://${PLACEHOLDERS})$`,
  }),
  uri: text('an absolute URI that has {name} for its variables, or an expression `${ ... }`', { pattern: `^(?:${WHOLE_EXPRESSION}|${SCHEME}${PLACEHOLDERS})$` }),
  endpoint: endpoint(ref('httpUri')),
  resource: fields('an external resource { name?, endpoint }', { name: plainText, endpoint: endpoint(ref('uri')) }, { required: ['endpoint'] }),
  catalog: fields('a catalogue { endpoint }', { endpoint: ref('endpoint') }, { required: ['endpoint'] }),
  schema: fields(
    'a schema: `document` in place, or a `resource`',
    {
      format: text('`json`, which is JSON Schema 2020-12', { pattern: '^json(?::2020-12)?$' }),
      document: { type: ['object', 'boolean'], title: 'a JSON Schema (draft 2020-12)' },
      resource: ref('resource'),
    },
    { allOf: [exactlyOne('document', 'resource')] },
  ),
};
