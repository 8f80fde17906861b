// Processes that a task runs: containers, scripts, shell commands and other workflows.
import type { JsonObject } from '@weft/kernel';
import { anyObject, exactlyOne, fields, listOf, oneOfTexts, plainText, ref, text, trueOrFalse } from './forms.js';

/** What `run` can run. */
export const RUN_KINDS: readonly string[] = ['container', 'script', 'shell', 'workflow'];

const process: JsonObject = { stdin: plainText, arguments: listOf('a list of texts', plainText), environment: anyObject('an object of variables') };

const container = fields(
  'a container',
  {
    image: text('the name of an image', { minLength: 1 }),
    name: plainText,
    command: plainText,
    ports: anyObject('an object of ports'),
    volumes: anyObject('an object of volumes'),
    ...process,
    lifetime: fields(
      'a lifetime { cleanup, after? }',
      { cleanup: oneOfTexts('always', 'never', 'eventually'), after: ref('duration') },
      {
        required: ['cleanup'],
        if: { properties: { cleanup: { const: 'eventually' } } },
        then: { required: ['after'] },
        else: { title: '`after` only beside `cleanup: eventually`', not: { required: ['after'] } },
      },
    ),
    pullPolicy: oneOfTexts('ifNotPresent', 'always', 'never'),
  },
  { required: ['image'] },
);

const script = fields(
  'a script: `code` in place, or a `source`',
  { language: oneOfTexts('javascript', 'js', 'python'), code: plainText, source: ref('resource'), ...process },
  { required: ['language'], allOf: [exactlyOne('code', 'source')] },
);

const shell = fields('a shell command', { command: text('a command', { minLength: 1 }), ...process }, { required: ['command'] });

const workflow = fields(
  'a workflow { namespace, name, version, input? }',
  {
    namespace: text('a namespace', { minLength: 1 }),
    name: text('the name of a workflow', { minLength: 1 }),
    version: text('a version, or `latest`', { minLength: 1 }),
    input: anyObject('an object'),
  },
  { required: ['namespace', 'name', 'version'] },
);

export const RUN: JsonObject = {
  run: fields('what to run', { await: trueOrFalse, return: oneOfTexts('stdout', 'stderr', 'code', 'all', 'none'), container, script, shell, workflow }, { allOf: [exactlyOne(...RUN_KINDS)] }),
};
