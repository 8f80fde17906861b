// Durations, timeouts and schedules.
import type { JsonObject } from '@weft/kernel';
import { fields, orNameIn, ref, text } from './forms.js';

const UNITS = ['days', 'hours', 'minutes', 'seconds', 'milliseconds'];

export const TIMING: JsonObject = {
  duration: {
    type: ['string', 'object'],
    title: 'a duration, as ISO 8601 text such as "PT30S" or an object such as { seconds: 30 }',
    minProperties: 1,
    additionalProperties: false,
    properties: Object.fromEntries(UNITS.map((unit) => [unit, { type: 'integer', minimum: 0, title: 'an integer from 0' }])),
  },
  timeout: fields('a timeout { after }', { after: ref('duration') }, { required: ['after'] }),
  timeoutOrName: orNameIn('timeouts', 'a timeout', ref('timeout')),
  schedule: fields(
    'a schedule { every?, cron?, after?, on? }',
    { every: ref('duration'), cron: text('a cron expression of five fields', { minLength: 1 }), after: ref('duration'), on: ref('eventStrategy') },
    { minProperties: 1 },
  ),
};
