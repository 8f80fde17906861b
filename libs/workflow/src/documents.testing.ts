// Documents for specs.
import { rejection, type Json, type JsonObject } from '@weft/kernel';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { parseWorkflow, type WorkflowPorts, type WorkflowReading } from './parse.js';

/** Where the schema and the examples of the standard are, when they are. */
export const OWS_FOLDER = `${process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../shared/fixtures', import.meta.url))}/ows`;
export const hasStandard = existsSync(`${OWS_FOLDER}/schema/workflow.yaml`);

export const standardSchema = (): JsonObject => parse(readFileSync(`${OWS_FOLDER}/schema/workflow.yaml`, 'utf8')) as JsonObject;

/** The examples of the standard by file; none when they are not there. */
export const standardExamples = (): readonly { readonly file: string; readonly text: string }[] =>
  hasStandard ? readdirSync(`${OWS_FOLDER}/examples`).map((file) => ({ file, text: readFileSync(`${OWS_FOLDER}/examples/${file}`, 'utf8') })) : [];

/** Stands in for jq: knows variables, and refuses what ends in a pipe. */
export const ports: WorkflowPorts = {
  checkExpression: (text, variables) => {
    const unknown = [...text.matchAll(/\$([A-Za-z_]\w*)/g)].map(([, name]) => name!).find((name) => !variables.includes(name));
    if (unknown !== undefined) return rejection('expression-syntax', `Expected a variable that is defined here but found "$${unknown}".`);
    return text.trim().endsWith('|') || text.trim() === '' ? rejection('expression-syntax', 'Expected an expression but found the end of it.') : undefined;
  },
};

export const head = { dsl: '1.0.3', namespace: 'acme', name: 'orders', version: '1.0.0' };

/** A document with these tasks, and other fields. */
export const withTasks = (tasks: readonly Json[], more: JsonObject = {}): JsonObject => ({ document: head, ...more, do: tasks });

export const read = (document: Json | string): WorkflowReading => parseWorkflow(typeof document === 'string' ? document : JSON.stringify(document), ports);

/** The messages of what is refused, without their places; none when the document is accepted. */
export function messagesOf(document: Json | string): readonly string[] {
  const reading = read(document);
  return reading.ok ? [] : reading.rejections.map(({ message }) => message.replace(/ \(line \d+, column \d+\)\.$/, ''));
}

/** Documents that use each thing this engine carries out. */
export const ACCEPTED: Readonly<Record<string, JsonObject>> = {
  'a value': withTasks([{ a: { set: { text: 'x', number: 1, list: [1, '${ .a }'], nothing: null } } }]),
  'an expression': withTasks([{ a: { set: '${ .a }' } }]),
  'the common fields': withTasks([
    { a: { if: '.x > 1', input: { from: '.x' }, set: { y: '${ $input }' }, output: { as: { z: '${ .y }' } }, export: { as: '$context + { y: $output }' }, then: 'c', metadata: { owner: 'billing' } } },
    { b: { set: { y: 1 }, then: 'end' } },
    { c: { set: { y: 2 }, then: 'b' } },
  ]),
  'input, output and head': withTasks([{ a: { set: { b: 1 } } }], {
    document: { ...head, dsl: '1.0.0', title: 'Orders', summary: 'Takes orders', tags: { team: 'sales' }, metadata: { a: 1 } },
    input: { schema: { format: 'json', document: { type: 'object', required: ['id'] } }, from: '{ id: .id, at: $runtime.name }' },
    output: { as: '{ result: ., context: $context }' },
  }),
  'tasks in tasks': withTasks([{ a: { do: [{ b: { do: [{ c: { set: { d: 1 } } }] } }] } }]),
  'a switch': withTasks([{ a: { switch: [{ x: { when: '.x', then: 'b' } }, { other: { then: 'exit' } }] } }, { b: { set: { c: 1 } } }]),
  'http calls': withTasks([
    { a: { call: 'http', with: { method: 'get', endpoint: 'https://example.com/orders/{id}' } } },
    {
      b: {
        call: 'http',
        with: { method: 'POST', endpoint: { uri: '${ .uri }' }, headers: { accept: 'text/plain' }, query: '${ .query }', body: { id: '${ .id }' }, output: 'response', redirect: true },
      },
    },
  ]),
  'functions of the catalogue': withTasks([
    { a: { call: 'infer', with: { prompt: 'Hello', instructions: 'Be brief', temperature: 0.5, maxTokens: '${ .max }', schema: { type: 'object', properties: { a: { pattern: '^[$]{1}' } } } } } },
    { b: { call: 'infer:1.0.0@default', with: { messages: [{ role: 'user', content: '${ .text }' }] } } },
    { c: { call: 'recall', with: { scope: 'customer/1', query: 'orders', limit: 5 } } },
    { d: { call: 'remember', with: { scope: '${ .scope }', text: 'likes tea', metadata: { a: 1 } } } },
    { e: { call: 'validate', with: { value: '${ . }', schema: { type: 'object' }, policy: 'replies' } } },
    { f: { call: 'review', with: { title: 'Refund?', subject: { amount: '${ .amount }' }, assignees: ['ada'], form: { type: 'object' } } } },
    { g: { call: 'tool', with: { name: 'orders.find', arguments: { id: '${ .id }' } } } },
    { h: { call: 'embed', with: { text: '${ .text }' } } },
    { i: { call: 'embed', with: { texts: ['a', '${ .text }'] } } },
  ]),
  'try and retry': withTasks(
    [
      {
        a: {
          try: [{ b: { raise: { error: 'broken' } } }],
          catch: {
            errors: { with: { type: 'https://example.com/errors/broken', status: 500 } },
            as: 'problem',
            when: '$problem.status == 500',
            exceptWhen: '.final',
            retry: 'patient',
            do: [{ c: { set: { error: '${ $problem.title }' } } }],
          },
        },
      },
      { d: { try: [{ e: { set: { a: 1 } } }], catch: { retry: { when: '$error.status >= 500', delay: { seconds: 1 }, backoff: { linear: {} }, jitter: { from: 'PT0.1S', to: 'PT0.5S' } } } } },
    ],
    {
      use: {
        errors: { broken: { type: 'https://example.com/errors/broken', status: 500, title: 'Broken', detail: '${ .why }' } },
        retries: { patient: { delay: 'PT1S', backoff: { exponential: {} }, limit: { attempt: { count: 3 } }, when: '$problem.status != 400' } },
      },
    },
  ),
  'a loop': withTasks([
    { a: { for: { each: 'pet', in: '.pets', at: 'n' }, while: '$pet.id > $n', do: [{ b: { set: { id: '${ $pet.id + $n }' }, output: { as: '[$pet, $n]' } } }, { c: { set: { d: 1 }, then: 'b' } }] } },
    { d: { for: { in: '${ .list }' }, do: [{ e: { set: { item: '${ $item }', at: '${ $index }' } } }] } },
  ]),
  'a fork': withTasks([
    { a: { fork: { compete: true, branches: [{ b: { set: { c: 1 }, then: 'end' } }, { d: { do: [{ e: { wait: 'PT1S' } }, { f: { wait: 'PT1S', then: 'e' } }], then: 'exit' } }] } } },
  ]),
  'a listen': withTasks([
    {
      a: {
        listen: {
          to: {
            one: {
              with: { type: 'com.example.paid.v1', source: '${ .source }', data: '${ .amount > 10 }', region: 'eu' },
              correlate: { order: { from: '.data.orderId', expect: '${ .orderId }' }, any: { from: '${ .data.any }' }, fixed: { from: '.subject', expect: 'x' } },
            },
          },
          read: 'envelope',
        },
      },
    },
    { b: { listen: { to: { one: { with: { data: { exact: true } } } } } } },
  ]),
  'wait, emit and raise': withTasks([
    { a: { wait: 'PT30S' } },
    { b: { wait: { minutes: 1, milliseconds: 5 } } },
    { c: { emit: { event: { with: { source: 'https://example.com', type: 'com.example.done.v1', subject: '${ .id }', data: { a: '${ .a }' }, priority: 'high' } } } } },
    { d: { raise: { error: { type: 'https://example.com/errors/late', status: 408, title: 'Late' } } } },
  ]),
};
