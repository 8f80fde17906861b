// Every message of the validator, each by a test named after what is told. The last test fails when a message has none.
import type { Json, JsonObject } from '@weft/kernel';
import { afterAll, describe, expect, it } from 'vitest';
import { notYetProblems } from './carried-out.js';
import { head, ports, withTasks } from './documents.testing.js';
import { readResource, unfixedProblems } from './lock.js';
import { formOf, messageForms } from './message-forms.testing.js';
import { parseWorkflow } from './parse.js';
import type { ResourceKind } from './resources.js';
import { schemaProblem } from './schema-problem.js';
import { DEPTH_MAX, TEXT_BYTES_MAX, VALUES_MAX } from './source.js';
import { placedTasks } from './tasks.js';

const NOTHING_ENABLED = { python: false, shell: false, container: false, mcpCommands: [] };
const told: string[] = [];

/** The messages about a text, without their places. */
function ofText(text: string): readonly string[] {
  const reading = parseWorkflow(text, { ...ports, enabled: NOTHING_ENABLED });
  return reading.ok ? [] : reading.rejections.map(({ message }) => message.replace(/(?: \(line \d+, column \d+\))?\.$/, ''));
}

const of = (document: Json): readonly string[] => ofText(JSON.stringify(document));
const task = (given: JsonObject, more: JsonObject = {}): readonly string[] => of(withTasks([{ a: given }], more));
const use = (given: JsonObject): readonly string[] => task({ set: { b: 1 } }, { use: given });
const searchAttributes = (given: Json): readonly string[] => of({ document: { ...head, metadata: { searchAttributes: given } }, do: [{ a: { set: { b: 1 } } }] });
const fetched = (kind: ResourceKind, text: string): readonly string[] => {
  const reading = readResource(withTasks([{ a: { set: { b: 1 } } }]), { kind, pointer: '/do/0/a/call', uri: 'https://a.test/it' }, text, ports);
  return reading.ok ? [] : reading.rejections.map(({ message }) => message);
};
const judged = (schema: Json, value: Json): readonly string[] => [schemaProblem(schema, value) ?? ''];

/** Says that a message was told. */
function expectTold(messages: readonly string[], message: string): void {
  told.push(...messages);
  expect(messages.join('\n')).toContain(message);
}

type Row = readonly [behaviour: string, messages: () => readonly string[], message: string];

const TEXT: readonly Row[] = [
  ['text that is too long', () => ofText(`a: ${'x'.repeat(TEXT_BYTES_MAX)}`), `Expected a definition of at most ${TEXT_BYTES_MAX} bytes but it has at least`],
  ['control characters', () => ofText('a: x\u0000'), 'Expected text without control characters but there is U+0000 in line 1'],
  ['half a character', () => ofText('a: "\ud83d"'), 'Expected well-formed Unicode but there is an unpaired surrogate'],
  ['half a character in an escape', () => ofText('{"a": "\\ud83d"}'), 'Expected well-formed Unicode but found an unpaired surrogate'],
  ['NUL in an escape', () => ofText('{"a": "x\\u0000"}'), 'Expected text without NUL'],
  ['too many words of YAML', () => ofText('- \n'.repeat(60_000)), 'YAML tokens but it has more'],
  ['an escape that nobody knows', () => ofText('a: "\\q"'), 'Expected YAML or JSON but found the unknown escape \\q'],
  ['text that is no YAML', () => ofText('a: [1'), 'Expected YAML or JSON but found: '],
  ['two documents', () => ofText('a: 1\n---\nb: 2'), 'Expected one document but another one begins here'],
  ['a tag', () => ofText('a: !js x'), 'Expected plain YAML but found a tag it cannot have'],
  ['a list as a key', () => ofText('? [a]\n: 1'), 'Expected keys to be text but found a key that is a list or an object'],
  ['another YAML', () => ofText('%YAML 1.1\n---\na: yes'), 'Expected YAML 1.2 but its directive says 1.1'],
  ['too many levels', () => ofText('['.repeat(DEPTH_MAX + 1) + ']'.repeat(DEPTH_MAX + 1)), `Expected at most ${DEPTH_MAX} levels of nesting but there are more`],
  ['too many values', () => ofText(`a: &a [${'1,'.repeat(9_000)}]\nb: [*a, *a, *a]`), `Expected at most ${VALUES_MAX} values, aliases expanded, but there are more`],
  ['too many characters', () => ofText(`a: &a "${'x'.repeat(400_000)}"\nb: [*a, *a, *a]`), 'characters of text, aliases expanded, but there are more'],
  ['an alias without its anchor', () => ofText('a: [*x, &x 1]'), 'Expected an anchor before its alias but there is no &x above'],
  ['binary', () => ofText('a: !!binary abcd'), 'Expected a JSON value but found one that JSON does not have'],
  ['infinity', () => ofText('a: .inf'), 'Expected a number that JSON can hold but found .inf'],
  ['digits that would be lost', () => ofText('a: 12345678901234567890'), 'which would lose digits: write it as text, in quotes'],
  ['a prototype as a key', () => ofText('{"__proto__": 1}'), 'Expected a key other than `__proto__`'],
  ['a merge key', () => ofText('a: &x { b: 1 }\nc: { <<: *x }'), 'Expected plain keys but found the merge key `<<`'],
  ['a key twice', () => ofText('{"a": 1, "a": 2}'), 'Expected keys that differ but `a` stands twice in one object'],
  ['what is no document', () => ofText('[]'), 'Expected a workflow document, an object with `document` and `do`, but found an empty list'],
  ['more faults than are told', () => of(withTasks(Array.from({ length: 60 }, (_, i) => ({ [`t${i}`]: { nothing: 1 } })))), 'Expected a valid workflow but there are 10 more faults'],
];

const SHAPE: readonly Row[] = [
  ['two kinds in one task', () => task({ set: { a: 1 }, wait: 'PT1S' }), 'Expected one kind of task but /do/0/a is `set` and `wait` at once'],
  ['a task of no kind', () => task({ sett: {} }), 'but /do/0/a has only `sett`'],
  ['a call of nothing', () => task({ call: 'shout' }), 'of `name:version@catalogue` or of a URL but /do/0/a calls "shout"'],
  ['what is missing', () => task({ raise: {} }), 'Expected `error` in /do/0/a/raise but it is missing'],
  ['a field that nobody knows', () => task({ set: { a: 1 }, thn: 'end' }), 'in the `set` task /do/0/a but found `thn`'],
  ['a field that needs another one', () => task({ listen: { to: { all: [], until: '.x' } } }), 'Expected `any` in /do/0/a/listen/to beside `until` but it is missing'],
  ['none or several of what excludes each other', () => task({ run: {} }), 'Expected exactly one of `container`, `script`, `shell`, `workflow` in /do/0/a/run but found none of them'],
  ['names that are not allowed', () => task({ emit: { event: { with: { source: 'https://a.test', type: 'x', Bad: 1 } } } }), 'Expected names of attributes in lower case letters and digits'],
  ['another kind of value', () => task({ if: 1, set: { a: 1 } }), 'Expected a jq expression at /do/0/a/if but found the number 1'],
  ['a value of a schema that may be several things', () => judged({ oneOf: [{ type: 'string' }, { type: 'number' }] }, true), 'Expected exactly one of the allowed forms at the value but none fits'],
  ['a value beyond a limit of a schema', () => judged({ minimum: 3 }, 1), 'Expected the value to be >= 3 but found number'],
];

const MEANING: readonly Row[] = [
  ['a task name twice', () => of(withTasks([{ a: { set: { b: 1 } } }, { a: { set: { b: 1 } } }])), 'Expected names that differ within /do but `a` stands there more than once'],
  ['a task name with a sign of its own meaning', () => of(withTasks([{ 'a#1': { set: { b: 1 } } }])), 'Expected a task name without `#`'],
  ['a task name that is too long', () => of(withTasks([{ ['a'.repeat(300)]: { set: { b: 1 } } }])), 'Expected a task name of 1 to 256 characters in /do but found one of 300'],
  ['an extension name twice', () => use({ extensions: [{ e: { extend: 'all' } }, { e: { extend: 'set' } }] }), 'Expected names that differ within /use/extensions but `e` stands there more than once'],
  ['a function named as a protocol', () => use({ functions: { http: { set: { a: 1 } } } }), 'for the function /use/functions/http but found "http"'],
  [
    'functions that call themselves',
    () => use({ functions: { f: { do: [{ a: { call: 'g' } }] }, g: { call: 'f' } } }),
    'Expected functions that do not call themselves but /use/functions/f does: `f` calls `g` calls `f`',
  ],
  ['a flow directive to nowhere', () => task({ set: { a: 1 }, then: 'b' }), 'or a task of the same list (`a`) at /do/0/a/then but found "b"'],
  ['a flow directive out of a branch', () => task({ fork: { branches: [{ b: { set: { c: 1 }, then: 'a' } }] } }), 'as the branches of a fork run at the same time, but found "a"'],
  ['a variable with a name that is taken', () => task({ for: { in: '.x', each: 'context' }, do: [{ b: { set: { c: 1 } } }] }), 'at /do/0/a/for/each but found `context`'],
  [
    'an item and an index of one name',
    () => task({ for: { in: '.x', each: 'n', at: 'n' }, do: [{ b: { set: { c: 1 } } }] }),
    'Expected names that differ for the item and its index at /do/0/a/for but both are `n`',
  ],
  ['an error with a name that is taken', () => task({ try: [{ b: { set: { c: 1 } } }], catch: { as: 'input' } }), 'Expected a name for the error other than'],
  [
    'an expression in a filter of errors',
    () => task({ try: [{ b: { set: { c: 1 } } }], catch: { errors: { with: { title: '${ .x }' } } } }),
    'Expected a fixed text at /do/0/a/catch/errors/with/title',
  ],
  [
    'a jitter from more than to',
    () => use({ retries: { r: { jitter: { from: 'PT2S', to: 'PT1S' } } } }),
    'Expected `from` to be at most `to` at /use/retries/r/jitter but 2000 ms is more than 1000 ms',
  ],
  ['a name that nothing declares', () => task({ raise: { error: 'nope' } }), 'Expected a name that `use.errors` declares (it declares none) at /do/0/a/raise/error but found "nope"'],
  [
    'a policy that nothing declares',
    () => task({ call: 'http', with: { method: 'get', endpoint: { uri: 'https://a.test', authentication: { use: 'nope' } } } }),
    'Expected a name that `use.authentications` declares',
  ],
  ['a grant that needs a browser', () => use({ authentications: { a: { oauth2: { authority: 'https://a.test', grant: 'authorization_code' } } } }), 'Expected a grant that needs no browser'],
  ['a duration that is none', () => task({ wait: 'soon' }), 'Expected a duration, as ISO 8601 text such as "PT30S"'],
  [
    'a schema that cannot be used',
    () => task({ call: 'validate', with: { value: 1, schema: { type: 'nope' } } }),
    'Expected a JSON Schema (draft 2020-12) at /do/0/a/with/schema but it cannot be used',
  ],
  ['a cron expression of other than five fields', () => task({ set: { a: 1 } }, { schedule: { cron: '* *' } }), 'Expected a cron expression of five fields'],
  ['a cron field out of its range', () => task({ set: { a: 1 } }, { schedule: { cron: '99 * * * *' } }), 'Expected the minute of a cron expression'],
  ['a cron expression of no day', () => task({ set: { a: 1 } }, { schedule: { cron: '0 0 31 2 *' } }), 'Expected a cron expression that fits a day'],
  ['search attributes of another form', () => searchAttributes([]), 'Expected an object of search attributes by name'],
  ['too many search attributes', () => searchAttributes(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`a${i}`, 1]))), 'Expected at most 16 search attributes but found 17'],
  ['a search attribute whose name is none', () => searchAttributes({ '1st': 1 }), 'but found the search attribute "1st"'],
  ['a search attribute that is no scalar', () => searchAttributes({ a: {} }), 'one `${ }` expression at /document/metadata/searchAttributes/a but found an empty object'],
];

const EXPRESSIONS: readonly Row[] = [
  ['an expression that does not compile', () => task({ set: { a: '${ . | }' } }), 'Expected a jq expression at /do/0/a/set/a, where $context, $input'],
  ['an expression among other words', () => task({ set: { a: 'Hello ${ .name }' } }), 'Expected a text without `${`, or one that is wholly one expression'],
  [
    'secrets as a whole',
    () => task({ call: 'http', with: { method: 'get', endpoint: 'https://a.test', body: '${ $secrets }' } }, { use: { secrets: ['s'] } }),
    'Expected the name of a secret, as in $secrets.name',
  ],
];

const notYet = (): readonly string[] => {
  const document = withTasks([{ a: { set: { b: 1 } } }]);
  return notYetProblems(document, placedTasks(document), [{ where: 'set', what: 'set' }]).map(({ message }) => message);
};

const DEPLOYMENT: readonly Row[] = [
  ['what is not carried out yet', notYet, 'Expected only what this engine carries out but the `set` task /do/0/a has `set`, which it does not yet'],
  ['a process that the operator does not let run', () => task({ run: { shell: { command: 'ls' } } }), 'which this deployment does not let it: its operator can set WEFT_RUN_SHELL'],
  [
    'an MCP server that may not be started',
    () => task({ call: 'mcp', with: { method: 'tools/list', transport: { stdio: { command: 'rm' } } } }),
    'Expected an MCP server that may be started but /do/0/a/with starts "rm"',
  ],
  [
    'a protocol that is not spoken',
    () => task({ call: 'asyncapi', with: { document: { endpoint: 'https://a.test' }, channel: 'c', protocol: 'jms', message: {} } }),
    'Expected a protocol that is spoken',
  ],
];

const RESOURCES: readonly Row[] = [
  ['a fetched schema that is no text of YAML', () => fetched('schema', '{'), 'Expected a schema at https://a.test/it (of /do/0/a/call) but it cannot be read'],
  ['a fetched schema that cannot be used', () => fetched('schema', 'type: nope'), 'Expected a JSON Schema (draft 2020-12) at https://a.test/it (of /do/0/a/call) but it cannot be used'],
  ['a fetched function that is no task', () => fetched('function', '[]'), 'Expected a function, which is a task, at https://a.test/it (of /do/0/a/call) but found something else'],
  [
    'a fetched function that could not stand in the document',
    () => fetched('function', 'sett: {}'),
    'Expected a function that can be called at https://a.test/it (of /do/0/a/call): Expected a task with one of',
  ],
  [
    'a schema whose place only an execution knows',
    () => unfixedProblems([{ pointer: '/input/schema/resource', kind: 'schema', uri: undefined }]).map(({ message }) => message),
    'Expected a fixed URI at /input/schema/resource',
  ],
];

describe('the validator tells', () => {
  it.each([...TEXT, ...SHAPE, ...MEANING, ...EXPRESSIONS, ...DEPLOYMENT, ...RESOURCES])('%s', (_behaviour, messages, message) => {
    expectTold(messages(), message);
  });
});

/** Said only if a checker of others breaks its promise. */
const UNHEARD: readonly string[] = ['Expected a key that is text but found none', 'Expected YAML or JSON but found something else', 'Expected a value that satisfies the schema but it does not'];

describe('the messages of the validator', () => {
  const forms = messageForms();

  afterAll(() => {
    told.length = 0;
  });

  it('each have a test above that is named after what is told', () => {
    const heard = new Set(told.map((message) => formOf(message.split('\n')[0]!, forms)?.text));
    const unheard = forms.filter(({ text }) => !heard.has(text) && !UNHEARD.includes(text));
    expect(unheard.map(({ place, text }) => `${place} ${text}`)).toEqual([]);
  });

  it('are found where they are written', () => {
    expect(forms.length).toBeGreaterThan(60);
    expect(formOf('Expected `error` in /do/0/a/raise but it is missing', forms)?.place).toContain('schema-sentence.ts');
  });
});
