import type { JsonObject } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { ACCEPTED, head, messagesOf, ports, read, withTasks } from './documents.testing.js';
import { parseWorkflow } from './parse.js';

const refused = (task: object, ...messages: string[]): void => {
  const all = messagesOf(withTasks([{ a: task as never }]));
  expect(all).toEqual(messages.map((message) => expect.stringContaining(message)));
};

describe('parseWorkflow', () => {
  it.each(Object.entries(ACCEPTED))('accepts %s', (_what, document) => {
    expect(messagesOf(document)).toEqual([]);
    expect(read(document)).toEqual({ ok: true, workflow: document });
  });

  it('reads YAML and JSON to the same document', () => {
    const yaml = "document: { dsl: 1.0.3, namespace: acme, name: orders, version: 1.0.0 }\ndo:\n  - a:\n      set:\n        b: '${ .c }'\n";
    expect(read(yaml)).toEqual(read(withTasks([{ a: { set: { b: '${ .c }' } } }])));
  });

  it('reports all faults in the order of the text, each with pointer, line and column', () => {
    const reading = read("document: { dsl: '2.0.0', namespace: acme, name: orders, version: 1.0.0 }\ndo:\n  - a:\n      raise: {}\n  - b:\n      set: {}\n");
    expect(reading).toEqual({
      ok: false,
      rejections: [
        {
          code: 'workflow-invalid',
          retryable: false,
          message: 'Expected a version of the specification from "1.0.0" to "1.0.3" at /document/dsl but found "2.0.0" (line 1, column 13).',
          details: { pointer: '/document/dsl', line: 1, column: 13 },
        },
        {
          code: 'workflow-invalid',
          retryable: false,
          message: 'Expected `error` in /do/0/a/raise but it is missing (line 4, column 7).',
          details: { pointer: '/do/0/a/raise', line: 4, column: 7 },
        },
        {
          code: 'workflow-invalid',
          retryable: false,
          message: 'Expected an object with at least one field, or one expression `${ ... }` at /do/1/b/set but found an empty object (line 6, column 7).',
          details: { pointer: '/do/1/b/set', line: 6, column: 7 },
        },
      ],
    });
  });

  it('tells at most 50 faults and counts the others', () => {
    const all = messagesOf(withTasks(Array.from({ length: 60 }, (_, i) => ({ [`t${i}`]: { nothing: 1 } }))));
    expect(all).toHaveLength(51);
    expect(all.at(-1)).toBe('Expected a valid workflow but there are 10 more faults.');
  });

  it('tells two kinds in one task, none, and what is no task', () => {
    refused({ set: { a: 1 }, wait: 'PT1S' }, 'Expected one kind of task but /do/0/a is `set` and `wait` at once');
    refused({ sett: { a: 1 } }, 'Expected a task with one of `do`, `set`, `switch`, `call`, `try`, `wait`, `emit`, `raise`, `for`, `fork`, `listen`, `run` but /do/0/a has only `sett`');
    expect(messagesOf(withTasks([{ a: 'x' }, { b: { wait: 'PT1S' }, c: { wait: 'PT1S' } }]))).toEqual([
      'Expected a task with one of do, set, switch, call, try, wait, emit, raise, for, fork, listen, run at /do/0/a but found "x"',
      'Expected a task: an object with one key, its name at /do/1 but found an object',
    ]);
  });

  it('tells fields that nobody knows, with those that there are', () => {
    refused({ set: { a: 1 }, ouput: { as: '.' } }, 'Expected only `if`, `input`, `output`, `export`, `timeout`, `then`, `metadata`, `set` in the `set` task /do/0/a but found `ouput`');
  });

  it('tells a fault of a field that is called `if`', () => {
    refused({ if: true, set: { b: 1 } }, 'Expected a jq expression at /do/0/a/if but found the boolean true');
  });

  it('tells search attributes of another form, and expressions in them that may not be there', () => {
    const found = (searchAttributes: unknown): readonly string[] =>
      messagesOf({ document: { dsl: '1.0.3', namespace: 'spec', name: 'flow', version: '1.0.0', metadata: { searchAttributes } }, do: [{ a: { set: { b: 1 } } }] } as never);
    expect(found({ customer: '${ .customer }', team: 'billing', urgent: true, amount: 3 })).toEqual([]);
    expect(found(['customer'])).toEqual([expect.stringContaining('Expected an object of search attributes by name at /document/metadata/searchAttributes but found a list')]);
    expect(found({ '1st': 'x', nested: { a: 1 } })).toEqual([
      expect.stringContaining('found the search attribute "1st"'),
      expect.stringContaining('one `${ }` expression at /document/metadata/searchAttributes/nested but found an object'),
    ]);
    expect(found({ customer: '${ $context.customer }' })).toEqual([expect.stringContaining('at /document/metadata/searchAttributes/customer, where no variables exist')]);
  });

  it('tells calls of nothing that is known, and other versions', () => {
    const known =
      'Expected a call of `http`, `openapi`, `grpc`, `asyncapi`, `a2a`, `mcp`, `infer`, `embed`, `agent`, `map`, `recall`, `remember`, `validate`, `review`, `tool`, of a function of `use.functions`, of `name:version@catalogue` or of a URL but /do/0/a calls';
    refused({ call: 'shout' }, `${known} "shout"`);
    refused({ call: 'infer:2.0.0@default' }, `${known} "infer:2.0.0@default": write \`infer\` or \`infer:1.0.0@default\``);
    refused({ call: 'log:1.0.0@elsewhere', with: {} }, `${known} "log:1.0.0@elsewhere"`);
  });

  it('checks the arguments of a function by the function that was called', () => {
    refused({ call: 'infer', with: { prompt: 'a', messages: [{ role: 'user', content: 'b' }] } }, 'Expected either `prompt` or `messages` in /do/0/a/with but found both');
    refused({ call: 'infer', with: { temperature: 1 } }, 'Expected either `prompt` or `messages` in /do/0/a/with but found neither');
    refused({ call: 'infer' }, 'Expected `with` in the `call` task /do/0/a but it is missing');
    refused({ call: 'recall', with: { scope: 's', limit: 500 } }, 'Expected an integer from 1 to 50 at /do/0/a/with/limit but found the number 500');
    refused({ call: 'tool', with: { nam: 'x' } }, 'Expected `name` in /do/0/a/with but it is missing', 'Expected only `name`, `arguments` in /do/0/a/with but found `nam`');
    refused({ call: 'http', with: { method: 'get', endpoint: 'ftp://example.com' } }, 'Expected a URI that starts with http:// or https://');
    refused(
      { call: 'http', with: { method: 'get', endpoint: 'http://a', query: { limit: 10 } } },
      'Expected text (numbers and booleans in quotes) at /do/0/a/with/query/limit but found the number 10',
    );
  });

  it('refuses schemas that no checker could use, where they stand', () => {
    refused({ call: 'validate', with: { value: 1, schema: { type: 'nope' } } }, 'Expected a JSON Schema (draft 2020-12) at /do/0/a/with/schema but it cannot be used');
    expect(messagesOf(withTasks([{ a: { set: { b: 1 } } }], { input: { schema: { document: { $ref: 'https://example.com/s' } } } }))).toEqual([
      expect.stringContaining('at /input/schema/document but it cannot be used'),
    ]);
  });

  it('follows flow directives within the list only', () => {
    const document = withTasks([{ a: { do: [{ b: { set: { c: 1 }, then: 'd' } }] } }, { d: { switch: [{ x: { then: 'b' } }] } }]);
    expect(messagesOf(document)).toEqual([
      'Expected `continue`, `exit`, `end` or a task of the same list (`b`) at /do/0/a/do/0/b/then but found "d"',
      'Expected `continue`, `exit`, `end` or a task of the same list (`a`, `d`) at /do/1/d/switch/0/x/then but found "b"',
    ]);
  });

  it('wants names that differ within a list', () => {
    expect(messagesOf(withTasks([{ a: { set: { b: 1 } } }, { a: { set: { b: 1 } } }, { x: { do: [{ a: { wait: 'PT1S' } }] } }]))).toEqual([
      'Expected names that differ within /do but `a` stands there more than once',
    ]);
  });

  it('takes what the standard leaves open', () => {
    const accepted = (given: Record<string, unknown>) => expect(messagesOf({ ...withTasks([{ a: { set: { b: 1 } } }]), ...given } as JsonObject)).toEqual([]);
    accepted({ document: { ...head, dsl: '1.0.0-alpha5' } });
    accepted({ $schema: './workflow.schema.json', 'x-owner': { team: 'billing' } });
    accepted({ do: [{ a: { do: [{ end: { set: { b: 1 }, then: 'end' } }] } }] });
    accepted({ do: [{ a: { emit: { event: { with: { type: 't', source: 'https://a.test' }, cc: 'x' } } } }] });
    accepted({ do: [{ a: { call: 'mcp', with: { method: 'tools/list', more: 1, transport: { stdio: { command: 'x', cwd: '/' }, retries: 3 } } } }] });
    accepted({ do: [{ a: { try: [{ b: { set: { c: 1 } } }], catch: { errors: { with: { code: 42 } } } } }] });
    accepted({ do: [{ a: { raise: { error: { type: '${ .type }', status: 400 } } } }] });
    expect(messagesOf({ ...withTasks([{ a: { set: { b: 1 } } }]), timeoutt: {} })).toEqual([expect.stringContaining('but found `timeoutt`')]);
  });

  it('wants names without the sign that separates a task from its iteration; a slash is escaped in pointers', () => {
    expect(messagesOf(withTasks([{ 'a#1': { set: { b: 1 } } }, { 'a/b': { set: { b: 1 } } }]))).toEqual([
      'Expected a task name without `#`, which separates a task from its iteration, but /do/0/a#1 has one',
    ]);
  });

  it('wants errors and retry policies by name to exist', () => {
    refused({ raise: { error: 'nope' } }, 'Expected a name that `use.errors` declares (it declares none) at /do/0/a/raise/error but found "nope"');
    refused({ try: [{ b: { wait: 'PT1S' } }], catch: { retry: 'nope' } }, 'Expected a name that `use.retries` declares (it declares none) at /do/0/a/catch/retry but found "nope"');
  });

  it('tells durations that mean nothing', () => {
    refused({ wait: 'P0.5M' }, 'at /do/0/a/wait but found "P0.5M": months come whole');
    refused({ wait: 'PT${ .pause }S' }, 'found "PT${ .pause }S": an expression among other words');
    refused({ wait: { secnds: 3 } }, 'Expected only `days`, `hours`, `minutes`, `seconds`, `milliseconds` in /do/0/a/wait but found `secnds`');
    refused({ wait: 'PT1S', timeout: { after: 'soon' } }, 'at /do/0/a/timeout/after but found "soon"');
  });

  it('takes durations by expression, and of months, where time is told when it begins', () => {
    const retry = { delay: '${ .d }', jitter: { from: 'PT0S', to: '${ $error.j }' }, limit: { duration: 'P1M', attempt: { duration: '${ $input.d }' } } };
    refused({ timeout: { after: '${ .t }' }, try: [{ b: { wait: 'P1Y2M' } }], catch: { retry } });
  });

  it('does not know the error before anything failed: in the limits of a retry policy', () => {
    refused({ try: [{ b: { wait: 'PT1S' } }], catch: { retry: { limit: { duration: '${ $error.d }' } } } }, 'Expected a jq expression at /do/0/a/catch/retry/limit/duration');
  });

  it('wants timeouts by name to exist', () => {
    refused({ wait: 'PT1S', timeout: 'nope' }, 'Expected a name that `use.timeouts` declares (it declares none) at /do/0/a/timeout but found "nope"');
  });

  it('wants schemas to be JSON Schema 2020-12', () => {
    refused({ wait: 'PT1S', input: { schema: { format: 'avro', document: {} } } }, 'Expected `json`, which is JSON Schema 2020-12 at /do/0/a/input/schema/format but found');
    refused({ wait: 'PT1S', output: { schema: { document: { type: 'nope' } } } }, 'Expected a JSON Schema (draft 2020-12) at /do/0/a/output/schema/document but it cannot be used');
    refused({ wait: 'PT1S', export: { schema: { format: 'json:2020-12', document: true } } });
  });

  it('wants a filter of errors to be fixed and the error to have a name of its own', () => {
    refused(
      { try: [{ b: { wait: 'PT1S' } }], catch: { as: 'input', errors: { with: { title: '${ .x }' } } } },
      'Expected a name for the error other than `context`',
      'Expected a fixed text at /do/0/a/catch/errors/with/title',
    );
  });
});

describe('expressions of a document', () => {
  it('are refused with their pointer and what may be named there', () => {
    refused(
      { set: { b: ['${ .x | }'] } },
      'Expected a jq expression at /do/0/a/set/b/0, where $context, $input, $task, $workflow, $runtime exist, but found ".x |": Expected an expression but found the end of it',
    );
    refused({ if: '.x |', set: { b: 1 } }, 'Expected a jq expression at /do/0/a/if');
  });

  it('are whole texts: one among other words is refused', () => {
    refused(
      { set: { b: 'Hello ${ .name }' } },
      'Expected a text without `${`, or one that is wholly one expression such as "${ \\"Hello \\\\(.name)\\" }", at /do/0/a/set/b but found "Hello ${ .name }"',
    );
  });

  it.each([
    ['if', { if: '$context.x', set: { b: 1 } }, true],
    ['if', { if: '$input.x', set: { b: 1 } }, false],
    ['input.from', { input: { from: '$input' }, set: { b: 1 } }, false],
    ['set', { set: { b: '${ $input }' } }, true],
    ['set', { set: { b: '${ $output }' } }, false],
    ['output.as', { set: { b: 1 }, output: { as: '{ a: $input }' } }, true],
    ['output.as', { set: { b: 1 }, output: { as: '$output' } }, false],
    ['export.as', { set: { b: 1 }, export: { as: '$output' } }, true],
    ['set outside a catch', { set: { b: '${ $error }' } }, false],
  ])('in %s: %j is known: %s', (_place, task, isKnown) => {
    expect(messagesOf(withTasks([{ a: task as never }])).length === 0).toBe(isKnown);
  });

  it('of the workflow see neither its input nor a task', () => {
    const tasks = [{ a: { set: { b: 1 } } }];
    expect(messagesOf(withTasks(tasks, { input: { from: '$context' } }))).toHaveLength(1);
    expect(messagesOf(withTasks(tasks, { output: { as: '$input' } }))).toHaveLength(1);
    expect(messagesOf(withTasks(tasks, { input: { from: '$workflow.id' }, output: { as: '{ c: $context }' } }))).toEqual([]);
  });

  it('see the errors of all catches around them, under their names', () => {
    const inner = (text: string): object => ({
      try: [{ b: { wait: 'PT1S' } }],
      catch: { as: 'outer', do: [{ c: { try: [{ d: { set: { x: '${ $outer }' } } }], catch: { do: [{ e: { set: { x: text } } }] } } }] },
    });
    refused(inner('${ $outer.title + $error.title }'));
    refused(inner('${ $inner }'), 'where $context, $input, $task, $workflow, $runtime, $outer, $error exist, but found "$inner"');
  });

  it('of a shared retry policy see the name of the error where it is used', () => {
    const document = withTasks([{ a: { try: [{ b: { wait: 'PT1S' } }], catch: { as: 'problem', retry: 'r' } } }], { use: { retries: { r: { when: '$error.status > 1' } } } });
    expect(messagesOf(document)).toEqual([expect.stringContaining('Expected a jq expression at /use/retries/r/when (as /do/0/a/catch/retry uses it)')]);
  });

  it('are found by the port when it knows how', () => {
    const text = JSON.stringify(withTasks([{ a: { set: { b: '${ $nope }' } } }]));
    const literal = parseWorkflow(text, { ...ports, embeddedExpression: () => undefined });
    expect(literal).toMatchObject({ ok: false, rejections: [{ message: expect.stringContaining('Expected a text without `${`') }] });
  });
});

describe('the head of a document', () => {
  it('has a version of the specification, names and a semantic version', () => {
    expect(messagesOf({ document: { ...head, dsl: 1, namespace: 'a b', version: 1 }, do: [{ a: { set: { b: 1 } } }] })).toEqual([
      'Expected a version of the specification from "1.0.0" to "1.0.3" at /document/dsl but found the number 1',
      'Expected a name of 1 to 63 letters, digits and inner hyphens at /document/namespace but found "a b"',
      'Expected a semantic version such as "1.0.0" at /document/version but found the number 1',
    ]);
  });

  it('is asked for when the text is something else', () => {
    expect(messagesOf('[]')).toEqual(['Expected a workflow document, an object with `document` and `do`, but found an empty list.']);
    expect(messagesOf('{}')).toEqual(['Expected `document` in the document but it is missing', 'Expected `do` in the document but it is missing']);
  });
});
