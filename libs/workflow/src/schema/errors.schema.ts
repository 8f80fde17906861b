// Errors, what catches them and how often it is tried again.
import type { JsonObject } from '@weft/kernel';
import { expression, fields, orNameIn, ref, text, uriOrExpression, variable } from './forms.js';

export const ERRORS: JsonObject = {
  error: fields(
    'an error',
    {
      type: uriOrExpression('an error type: an absolute URI such as "https://example.com/errors/out-of-stock", or an expression `${ ... }`'),
      status: { type: 'integer', minimum: 100, maximum: 599, title: 'a status from 100 to 599' },
      title: text('text'),
      detail: text('text'),
      instance: text('text'),
    },
    { required: ['type', 'status'] },
  ),
  catch: fields('a catch', {
    errors: fields('which errors to catch', {
      with: fields(
        'fields that the error must have',
        { type: text('text'), status: { type: 'integer', title: 'a status' }, instance: text('text'), title: text('text'), detail: text('text'), details: text('text') },
        // Errors may have more members than these.
        { minProperties: 1, additionalProperties: true },
      ),
    }),
    as: variable,
    when: expression,
    exceptWhen: expression,
    retry: orNameIn('retries', 'a retry policy', ref('retry')),
    do: ref('taskList'),
  }),
  retry: fields('a retry policy', {
    when: expression,
    exceptWhen: expression,
    delay: ref('duration'),
    backoff: fields(
      'one of `constant`, `linear` and `exponential`',
      Object.fromEntries(['constant', 'linear', 'exponential'].map((kind) => [kind, { type: 'object', maxProperties: 0, title: 'an empty object {}' }])),
      { minProperties: 1, maxProperties: 1 },
    ),
    limit: fields('a limit of retries', {
      attempt: fields('a limit of attempts', { count: { type: 'integer', minimum: 0, maximum: 1_000_000, title: 'an integer from 0 to 1000000' }, duration: ref('duration') }),
      duration: ref('duration'),
    }),
    jitter: fields('a range of jitter', { from: ref('duration'), to: ref('duration') }, { required: ['from', 'to'] }),
  }),
};
