// Events: what is emitted, what is listened to, and what happens to each event.
import type { JsonObject } from '@weft/kernel';
import { byName, exactlyOne, expression, fields, listOf, ref, text, uriOrExpression, variable, WHOLE_EXPRESSION } from './forms.js';

const uri = uriOrExpression('an absolute URI, or an expression `${ ... }`');

const ATTRIBUTES: JsonObject = {
  type: 'object',
  propertyNames: { pattern: '^[a-z0-9]{1,64}$', title: 'names of attributes in lower case letters and digits' },
  properties: {
    id: text('text', { minLength: 1 }),
    source: uri,
    type: text('text', { minLength: 1 }),
    time: text('an RFC 3339 time, or an expression `${ ... }`', { pattern: `^(?:${WHOLE_EXPRESSION}|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d))$` }),
    subject: text('text'),
    datacontenttype: text('text'),
    dataschema: uri,
    data: {},
  },
  additionalProperties: { type: ['string', 'boolean', 'integer'], title: 'text, a boolean or an integer' },
};

const filters = (title: string): JsonObject => listOf(title, ref('eventFilter'));
const STRATEGIES: JsonObject = { all: filters('a list of events that must all come'), any: filters('a list of events of which any will do'), one: ref('eventFilter') };

export const EVENTS: JsonObject = {
  event: { ...ATTRIBUTES, title: 'the attributes of a CloudEvent', required: ['source', 'type'] },
  eventFilter: fields(
    'an event filter { with, correlate? }',
    {
      with: { ...ATTRIBUTES, minProperties: 1, title: 'the attributes that an event must have' },
      correlate: byName(
        'correlations by name',
        fields('a correlation { from, expect? }', { from: expression, expect: text('a text, or an expression `${ ... }`', { minLength: 1 }) }, { required: ['from'] }),
      ),
    },
    { required: ['with'] },
  ),
  eventStrategy: fields(
    'a strategy: `all`, `any` or `one`',
    { ...STRATEGIES, until: { title: 'a condition, or the events that end it', if: { type: 'string' }, then: { minLength: 1, title: 'a jq expression' }, else: ref('endingStrategy') } },
    { allOf: [exactlyOne('all', 'any', 'one')], dependentRequired: { until: ['any'] } },
  ),
  endingStrategy: fields('a strategy: `all`, `any` or `one`', STRATEGIES, { allOf: [exactlyOne('all', 'any', 'one')] }),
  iterator: fields('what to do with each { item?, at?, do?, output?, export? }', {
    item: variable,
    at: variable,
    do: ref('taskList'),
    output: ref('output'),
    export: ref('export'),
  }),
};
