// Open Workflow Specification 1.0.3 as one JSON Schema, in our own words. The types are document.ts; what of it is not carried out yet is not-yet.ts.
import type { JsonObject } from '@weft/kernel';
import { AUTHENTICATION } from './schema/authentication.schema.js';
import { CALLS } from './schema/calls.schema.js';
import { ERRORS } from './schema/errors.schema.js';
import { EVENTS } from './schema/events.schema.js';
import { anyObject, fields, oneOfTexts, plainText, ref, SEMVER, text } from './schema/forms.js';
import { RESOURCES } from './schema/resources.schema.js';
import { RUN } from './schema/run.schema.js';
import { TASKS } from './schema/tasks.schema.js';
import { TIMING } from './schema/timing.schema.js';
import { USE } from './schema/use.schema.js';

const name = text('a name of 1 to 63 letters, digits and inner hyphens', { pattern: '^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$' });

const HEAD = fields(
  'the head of a document',
  {
    dsl: text('a version of the specification from "1.0.0" to "1.0.3"', { pattern: '^1\\.0\\.(?:[0-3]|0-[0-9A-Za-z.-]+)$' }),
    namespace: name,
    name,
    version: text('a semantic version such as "1.0.0"', { pattern: `^${SEMVER}$`, maxLength: 100 }),
    title: plainText,
    summary: plainText,
    tags: anyObject('an object'),
    metadata: anyObject('an object'),
  },
  { required: ['dsl', 'namespace', 'name', 'version'] },
);

/** JSON Schema (draft 2020-12) of workflow documents. */
export const WORKFLOW_SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...fields(
    'a workflow document',
    {
      document: HEAD,
      input: ref('input'),
      use: ref('use'),
      do: ref('taskList'),
      timeout: ref('timeoutOrName'),
      output: ref('output'),
      schedule: ref('schedule'),
      // In the text of the standard, and missing from its schema.
      evaluate: fields('how expressions are evaluated { language?, mode? }', { language: oneOfTexts('jq'), mode: oneOfTexts('strict', 'loose') }),
    },
    // The standard leaves the document open. What is for editors and people changes nothing; anything else would be a field that somebody relies on.
    { required: ['document', 'do'], patternProperties: { '^(?:\\$schema|x-.*)$': {} } },
  ),
  $defs: { ...TASKS, ...CALLS, ...RUN, ...EVENTS, ...ERRORS, ...TIMING, ...RESOURCES, ...AUTHENTICATION, ...USE },
};
