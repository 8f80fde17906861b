// What names something else: flow directives, retry policies, errors; and values whose meaning a schema does not see.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import { parseCron } from './cron.js';
import { parseCalendarDuration, parseDuration, type CalendarDurationReading, type DurationReading } from './duration.js';
import { functionCycleProblems } from './function-cycles.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { PROTOCOL_CALLS } from './schema/calls.schema.js';
import { schemaFault } from './schema-problem.js';
import { extensionsOf, FUNCTIONS_POINTER, iteratorOf, iteratorVariablesOf, loopVariablesOf, type PlacedTask } from './tasks.js';
import { excerpt, names } from './words.js';

export const FLOW_DIRECTIVES: readonly string[] = ['continue', 'exit', 'end'];

// Whether it is jq is judged with the other expressions.
const WHOLE_EXPRESSION = /^\s*\$\{[\s\S]+\}\s*$/;
const NAME_CHARACTERS_MAX = 256;
const RESERVED_VARIABLES: readonly string[] = ['context', 'input', 'output', 'task', 'workflow', 'runtime', 'secrets', 'authorization', 'ENV', '__loc__', '__prog_args'];

/** Names that mean nothing or two things, durations and schemas that cannot be used. */
export function referenceProblems(document: JsonObject, tasks: readonly PlacedTask[]): readonly Problem[] {
  const use = objectOf(document['use']);
  const problems: Problem[] = [];
  problems.push(...schemasOf(document, '', ['input', 'output']), ...scheduleProblems(objectOf(document['schedule'])), ...timeoutProblems(document['timeout'], '/timeout', use));
  for (const [name, timeout] of Object.entries(objectOf(use['timeouts']))) problems.push(...timeoutProblems(timeout, pointerTo('/use/timeouts', name), use));
  for (const [name, policy] of Object.entries(objectOf(use['retries']))) problems.push(...retryProblems(policy, pointerTo('/use/retries', name)));
  problems.push(...extensionNameProblems(use), ...functionCycleProblems(use, tasks));
  for (const task of tasks) problems.push(...nameProblems(task), ...taskProblems(task, use));
  return problems;
}

/** What is wrong with the schemas in place of what shapes and checks data: `input`, `output`, `export`. */
function schemasOf(holder: JsonObject, pointer: string, fields: readonly string[]): readonly Problem[] {
  return fields.flatMap((field) => {
    const schema = objectOf(objectOf(holder[field])['schema'])['document'];
    return schema === undefined ? [] : schemaProblems(schema, `${pointer}/${field}/schema/document`);
  });
}

const scheduleProblems = ({ every, after, cron }: JsonObject): readonly Problem[] => [
  ...fixedDurationProblems(every, '/schedule/every'),
  ...fixedDurationProblems(after, '/schedule/after'),
  ...cronProblems(cron),
];

function cronProblems(cron: Json | undefined): readonly Problem[] {
  const reading = typeof cron === 'string' ? parseCron(cron) : undefined;
  return !reading || reading.ok ? [] : [{ pointer: '/schedule/cron', message: reading.rejection.message.replace(' but ', ' at /schedule/cron but ').replace(/\.$/, '') }];
}

const timeoutProblems = (timeout: Json | undefined, pointer: string, use: JsonObject): readonly Problem[] =>
  typeof timeout === 'string' ? nameProblem(timeout, pointer, 'timeouts', use) : durationProblems(objectOf(timeout)['after'], `${pointer}/after`);

function nameProblems({ pointer, list, position, name, siblings }: PlacedTask): readonly Problem[] {
  if (list === FUNCTIONS_POINTER) return functionNameProblems(name, pointer);
  const problems: Problem[] = [];
  const say = (message: string): number => problems.push({ pointer, message });
  if (siblings.get(name)! < position) say(`Expected names that differ within ${list} but \`${excerpt(name)}\` stands there more than once`);
  // Escaping in pointers leaves it as it is, and it ends the pointer in the key of a task's run.
  if (name.includes('#')) say(`Expected a task name without \`#\`, which separates a task from its iteration, but ${pointer} has one`);
  if (name === '' || name.length > NAME_CHARACTERS_MAX) say(`Expected a task name of 1 to ${NAME_CHARACTERS_MAX} characters in ${list} but found one of ${name.length}`);
  return problems;
}

function extensionNameProblems(use: JsonObject): readonly Problem[] {
  const extensions = extensionsOf(use);
  return extensions
    .filter(({ name }, position) => extensions.findIndex((other) => other.name === name) < position)
    .map(({ pointer, name }) => ({ pointer, message: `Expected names that differ within /use/extensions but \`${excerpt(name)}\` stands there more than once` }));
}

/** A function is called by its name: it cannot be that of a protocol, nor look like one of a catalogue or a URL. */
function functionNameProblems(name: string, pointer: string): readonly Problem[] {
  if (!PROTOCOL_CALLS.includes(name) && !/[:@\s]/.test(name) && name !== '') return [];
  return [{ pointer, message: `Expected a name without \`:\`, \`@\` and spaces, other than ${names(PROTOCOL_CALLS)}, for the function ${pointer} but found ${JSON.stringify(excerpt(name))}` }];
}

function taskProblems(placed: PlacedTask, use: JsonObject): readonly Problem[] {
  const { pointer, task, kind } = placed;
  const within = siblingsOf(placed);
  const iterator = iteratorOf(task);
  const problems = [
    ...thenProblems(task['then'], `${pointer}/then`, within),
    ...timeoutProblems(task['timeout'], `${pointer}/timeout`, use),
    ...schemasOf(task, pointer, ['input', 'output', 'export']),
    ...(iterator ? iteratorProblems(iterator.fields, `${pointer}/${iterator.at}`) : []),
  ];
  switch (kind) {
    case 'call':
    case 'run':
      return [...problems, ...durationsIn(task, pointer)];
    case 'wait':
      return [...problems, ...durationProblems(task['wait'], `${pointer}/wait`)];
    case 'switch':
      return [...problems, ...cases(task).flatMap(({ at, fields }) => thenProblems(fields['then'], `${pointer}/switch/${at}/then`, within))];
    case 'for':
      return [...problems, ...loopVariableProblems(loopVariablesOf(task), ['each', 'at'], `${pointer}/for`)];
    case 'raise':
      return [...problems, ...nameProblem(objectOf(task['raise'])['error'], `${pointer}/raise/error`, 'errors', use)];
    case 'try':
      return [...problems, ...catchProblems(objectOf(task['catch']), `${pointer}/catch`, use)];
    default:
      return problems;
  }
}

/** The cases of a `switch` that have the form of one. */
export function cases(task: JsonObject): readonly { readonly at: string; readonly fields: JsonObject }[] {
  const list = task['switch'];
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).flatMap((entry, position) => Object.entries(objectOf(entry)).map(([name, fields]) => ({ at: pointerTo('', position, name).slice(1), fields: objectOf(fields) })));
}

/** Durations among what a call or a process is given, by path. */
const DURATIONS: readonly (readonly string[])[] = [
  ['with', 'timeout'],
  ['with', 'subscription', 'consume', 'for'],
  ['run', 'container', 'lifetime', 'after'],
];

function durationsIn(task: JsonObject, pointer: string): readonly Problem[] {
  return DURATIONS.flatMap((path) =>
    path[1] === 'timeout' && task['call'] !== 'mcp'
      ? []
      : fixedDurationProblems(
          path.reduce<Json | undefined>((value, field) => objectOf(value)[field], task),
          `${pointer}/${path.join('/')}`,
        ),
  );
}

/** The tasks that a flow directive may name, or why there are none. */
function siblingsOf({ isBranch, list, siblings }: PlacedTask): ReadonlyMap<string, number> | string {
  if (isBranch) return 'as the branches of a fork run at the same time';
  return list === FUNCTIONS_POINTER ? 'as a function stands in no list of tasks' : siblings;
}

const iteratorProblems = (iterator: JsonObject, pointer: string): readonly Problem[] => [
  ...loopVariableProblems(iteratorVariablesOf(iterator), ['item', 'at'], pointer),
  ...schemasOf(iterator, pointer, ['output', 'export']),
];

function loopVariableProblems([item, index]: readonly [item: string, index: string], [itemField, indexField]: readonly [string, string], pointer: string): readonly Problem[] {
  const reserved = Object.entries({ [itemField]: item, [indexField]: index }).filter(([, name]) => RESERVED_VARIABLES.includes(name));
  const problems = reserved.map(([field, name]) => ({
    pointer: `${pointer}/${field}`,
    message: `Expected a name for the variable other than ${names(RESERVED_VARIABLES)} at ${pointer}/${field} but found \`${name}\``,
  }));
  return item === index ? [...problems, { pointer, message: `Expected names that differ for the item and its index at ${pointer} but both are \`${item}\`` }] : problems;
}

function catchProblems(clause: JsonObject, pointer: string, use: JsonObject): readonly Problem[] {
  const problems: Problem[] = [];
  const { as, retry } = clause;
  if (typeof as === 'string' && RESERVED_VARIABLES.includes(as))
    problems.push({ pointer: `${pointer}/as`, message: `Expected a name for the error other than ${names(RESERVED_VARIABLES)} at ${pointer}/as but found \`${as}\`` });
  const filter = objectOf(objectOf(clause['errors'])['with']);
  for (const [field, wanted] of Object.entries(filter)) {
    // A filter is compared as it stands: an expression in it would match no error.
    if (typeof wanted === 'string' && wanted.includes('${'))
      problems.push({
        pointer: `${pointer}/errors/with/${field}`,
        message: `Expected a fixed text at ${pointer}/errors/with/${field} but found the expression ${JSON.stringify(excerpt(wanted))}: use \`when\``,
      });
  }
  return [...problems, ...(typeof retry === 'string' ? nameProblem(retry, `${pointer}/retry`, 'retries', use) : retryProblems(retry, `${pointer}/retry`))];
}

function retryProblems(policy: Json | undefined, pointer: string): readonly Problem[] {
  const { delay, jitter, limit } = objectOf(policy);
  const { from, to } = objectOf(jitter);
  const { attempt, duration } = objectOf(limit);
  const problems = [
    ...durationProblems(delay, `${pointer}/delay`),
    ...durationProblems(duration, `${pointer}/limit/duration`),
    ...durationProblems(objectOf(attempt)['duration'], `${pointer}/limit/attempt/duration`),
    ...durationProblems(from, `${pointer}/jitter/from`),
    ...durationProblems(to, `${pointer}/jitter/to`),
  ];
  const [low, high] = [from, to].map((value) => (value === undefined ? undefined : parseDuration(value)));
  if (low?.ok && high?.ok && low.ms > high.ms)
    problems.push({ pointer: `${pointer}/jitter`, message: `Expected \`from\` to be at most \`to\` at ${pointer}/jitter but ${low.ms} ms is more than ${high.ms} ms` });
  return problems;
}

function thenProblems(target: Json | undefined, pointer: string, siblings: ReadonlyMap<string, number> | string): readonly Problem[] {
  if (typeof target !== 'string' || target === '' || FLOW_DIRECTIVES.includes(target)) return [];
  const found = JSON.stringify(excerpt(target));
  if (typeof siblings === 'string') return [{ pointer, message: `Expected ${names(FLOW_DIRECTIVES)} at ${pointer}, ${siblings}, but found ${found}` }];
  if (siblings.has(target)) return [];
  return [{ pointer, message: `Expected ${names(FLOW_DIRECTIVES)} or a task of the same list (${names([...siblings.keys()].slice(0, 20))}) at ${pointer} but found ${found}` }];
}

function nameProblem(name: Json | undefined, pointer: string, section: 'errors' | 'retries' | 'timeouts', use: JsonObject): readonly Problem[] {
  const known = objectOf(use[section]);
  if (typeof name !== 'string' || name === '' || Object.hasOwn(known, name)) return [];
  const declared = Object.keys(known).slice(0, 20);
  return [
    { pointer, message: `Expected a name that \`use.${section}\` declares (${declared.length > 0 ? names(declared) : 'it declares none'}) at ${pointer} but found ${JSON.stringify(excerpt(name))}` },
  ];
}

/** A duration, also one of months, or an expression that gives one. */
const durationProblems = (value: Json | undefined, pointer: string): readonly Problem[] =>
  typeof value === 'string' && WHOLE_EXPRESSION.test(value) ? [] : misreadDuration(value, pointer, parseCalendarDuration);

/** A duration whose length is known before anything runs. */
const fixedDurationProblems = (value: Json | undefined, pointer: string): readonly Problem[] => misreadDuration(value, pointer, parseDuration);

function misreadDuration(value: Json | undefined, pointer: string, parse: (value: Json) => DurationReading | CalendarDurationReading): readonly Problem[] {
  if (typeof value !== 'string' && !isJsonObject(value)) return [];
  const reading = parse(value);
  return reading.ok ? [] : [{ pointer, message: reading.rejection.message.replace(', but found', ` at ${pointer} but found`).replace(/\.$/, '') }];
}

/** What is wrong with a JSON Schema that stands in a document. */
export function schemaProblems(schema: Json, pointer: string): readonly Problem[] {
  if (typeof schema !== 'boolean' && !isJsonObject(schema)) return [];
  const fault = schemaFault(schema);
  return fault === undefined ? [] : [{ pointer, message: `Expected a JSON Schema (draft 2020-12) at ${pointer} but it cannot be used: ${fault}` }];
}
