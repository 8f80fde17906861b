// The arguments of the calls that the standard has, and of the functions of the default catalogue.
import type { JsonObject } from '@weft/kernel';
import { FUNCTION_NAMES, FUNCTIONS } from '../functions.js';
import { anyObject, atLeastOne, exactlyOne, fields, listOf, objectOrExpression, oneOfTexts, OPEN, plainText, ref, text, texts, textsOrExpression, trueOrFalse, wholeExpression } from './forms.js';

/** Protocols that `call` knows by itself. */
export const PROTOCOL_CALLS: readonly string[] = ['http', 'openapi', 'grpc', 'asyncapi', 'a2a', 'mcp'];

const PROTOCOLS = 'amqp amqp1 anypointmq googlepubsub http ibmmq jms kafka mercure mqtt mqtt5 nats pulsar redis sns solace sqs stomp ws'.split(' ');
const A2A_METHODS = [
  'message/send',
  'message/stream',
  'tasks/get',
  'tasks/list',
  'tasks/cancel',
  'tasks/resubscribe',
  ...['set', 'get', 'list', 'delete'].map((verb) => `tasks/pushNotificationConfig/${verb}`),
  'agent/getAuthenticatedExtendedCard',
];
const MCP_METHODS = ['tools/list', 'tools/call', 'prompts/list', 'prompts/get', 'resources/list', 'resources/read', 'resources/templates/list'];

const output = oneOfTexts('raw', 'content', 'response');

const http = fields(
  'the arguments of `http`',
  {
    method: text('a method such as get or POST', { pattern: '^(?:get|post|put|patch|delete|head|options|GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)$' }),
    endpoint: ref('endpoint'),
    headers: textsOrExpression,
    query: textsOrExpression,
    body: {},
    output,
    redirect: trueOrFalse,
  },
  { required: ['method', 'endpoint'] },
);

const openapi = fields(
  'the arguments of `openapi`',
  {
    document: ref('resource'),
    operationId: text('the id of an operation', { minLength: 1 }),
    parameters: anyObject('an object of parameters'),
    authentication: ref('authentication'),
    output,
    redirect: trueOrFalse,
  },
  { required: ['document', 'operationId'] },
);

const grpc = fields(
  'the arguments of `grpc`',
  {
    proto: ref('resource'),
    service: fields(
      'a service { name, host, port?, authentication? }',
      {
        name: text('the name of a service', { minLength: 1 }),
        host: text('the name of a host', { pattern: '^[A-Za-z0-9](?:[A-Za-z0-9-.]{0,61}[A-Za-z0-9])?$' }),
        port: { type: 'integer', minimum: 0, maximum: 65_535, title: 'a port from 0 to 65535' },
        authentication: ref('authentication'),
      },
      { required: ['name', 'host'] },
    ),
    method: text('the name of a method', { minLength: 1 }),
    arguments: anyObject('an object of arguments'),
  },
  { required: ['proto', 'service', 'method'] },
);

const consume = fields(
  'what to consume: { amount }, { while } or { until }, each with for?',
  { amount: { type: 'integer', minimum: 0, title: 'an integer from 0' }, for: ref('duration'), while: wholeExpression, until: wholeExpression },
  { allOf: [exactlyOne('amount', 'while', 'until')] },
);

const asyncapi = fields(
  'the arguments of `asyncapi`',
  {
    document: ref('resource'),
    channel: text('the name of a channel', { minLength: 1 }),
    operation: text('the name of an operation', { minLength: 1 }),
    server: fields('a server { name, variables? }', { name: plainText, variables: anyObject('an object of variables') }, { required: ['name'] }),
    protocol: oneOfTexts(...PROTOCOLS),
    message: fields('a message { payload?, headers? }', { payload: anyObject('an object'), headers: anyObject('an object of headers') }),
    subscription: fields('a subscription { filter?, consume, foreach? }', { filter: wholeExpression, consume, foreach: ref('iterator') }, { required: ['consume'] }),
    authentication: ref('authentication'),
  },
  { required: ['document'], allOf: [exactlyOne('operation', 'channel'), exactlyOne('message', 'subscription')] },
);

const a2a = fields(
  'the arguments of `a2a`',
  {
    agentCard: ref('resource'),
    server: ref('endpoint'),
    method: oneOfTexts(...A2A_METHODS),
    parameters: objectOrExpression('an object with at least one field, or an expression `${ ... }`', { minProperties: 1 }),
  },
  { required: ['method'], allOf: [atLeastOne('agentCard', 'server')] },
);

const mcp = fields(
  'the arguments of `mcp`',
  {
    protocolVersion: text('a version of the protocol such as "2025-06-18"', { minLength: 1 }),
    method: oneOfTexts(...MCP_METHODS),
    parameters: objectOrExpression('an object, or an expression `${ ... }`'),
    timeout: ref('duration'),
    transport: fields(
      'a transport: `http` or `stdio`',
      {
        http: fields('an http transport { endpoint, headers? }', { endpoint: ref('endpoint'), headers: texts }, { required: ['endpoint'] }),
        stdio: fields(
          'a stdio transport { command, arguments?, environment? }',
          { command: text('a command', { minLength: 1 }), arguments: listOf('a list of texts', plainText), environment: texts },
          { required: ['command'], ...OPEN },
        ),
        options: texts,
      },
      { allOf: [exactlyOne('http', 'stdio')], ...OPEN },
    ),
    client: fields('a client { name, version, description? }', { name: plainText, version: plainText, description: plainText }, { required: ['name', 'version'] }),
  },
  { required: ['method', 'transport'], ...OPEN },
);

export const CALLS: JsonObject = {
  ...Object.fromEntries(Object.entries({ http, openapi, grpc, asyncapi, a2a, mcp }).map(([name, schema]) => [`${name}Arguments`, schema])),
  ...Object.fromEntries(FUNCTION_NAMES.map((name) => [`${name}Arguments`, FUNCTIONS[name].arguments])),
};

/** The arguments that each kind of call must have, as conditions on a `call` task. A function of the author's own may have none. */
export const CALL_ARGUMENTS: readonly JsonObject[] = [
  ...PROTOCOL_CALLS.map((name) => withArguments(`^${name}$`, ref(`${name}Arguments`))),
  // A function whose arguments are all optional on paper still needs some: each has at least one that must be there.
  ...FUNCTION_NAMES.map((name) => withArguments(`^${name}(?::1\\.0\\.0@default)?$`, ref(`${name}Arguments`))),
];

function withArguments(call: string, schema: JsonObject): JsonObject {
  return { if: { properties: { call: { type: 'string', pattern: call } }, required: ['call'] }, then: { required: ['with'], properties: { with: schema } } };
}
