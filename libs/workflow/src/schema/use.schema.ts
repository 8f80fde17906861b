// What a document defines once and names from elsewhere.
import type { JsonObject } from '@weft/kernel';
import { byName, expression, fields, listOf, oneOfTexts, ref, text } from './forms.js';

export const EXTENDED_KINDS: readonly string[] = ['call', 'composite', 'emit', 'for', 'listen', 'raise', 'run', 'set', 'switch', 'try', 'wait', 'all'];

const extension = fields(
  'an extension { extend, when?, before?, after? }',
  { extend: oneOfTexts(...EXTENDED_KINDS), when: expression, before: ref('taskList'), after: ref('taskList') },
  { required: ['extend'] },
);

export const USE: JsonObject = {
  use: fields('reusable definitions', {
    authentications: byName('authentication policies by name', ref('authenticationPolicy')),
    catalogs: byName('catalogues by name', ref('catalog')),
    errors: byName('errors by name', ref('error')),
    extensions: listOf('a list of extensions', {
      type: 'object',
      minProperties: 1,
      maxProperties: 1,
      title: 'an extension: an object with one key, its name',
      additionalProperties: ref('extension'),
    }),
    functions: byName('functions by name', ref('task')),
    retries: byName('retry policies by name', ref('retry')),
    secrets: listOf('a list of names of secrets', text('the name of a secret', { minLength: 1 })),
    timeouts: byName('timeouts by name', ref('timeout')),
  }),
  extension,
};
