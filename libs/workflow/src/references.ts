// What names something else: flow directives, retry policies, errors; and values whose meaning a schema does not see.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { parseDuration } from './duration.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { schemaFault } from './schema-problem.js';
import { loopVariablesOf, type PlacedTask } from './tasks.js';
import { excerpt, names } from './words.js';

export const FLOW_DIRECTIVES: readonly string[] = ['continue', 'exit', 'end'];

const NAME_CHARACTERS_MAX = 256;
// A branch of a fork has no siblings that it could go on with.
const NO_SIBLINGS: ReadonlyMap<string, number> = new Map();
const RESERVED_VARIABLES: readonly string[] = ['context', 'input', 'output', 'task', 'workflow', 'runtime', 'secrets', 'authorization', 'ENV', '__loc__', '__prog_args'];

/** Names that mean nothing or two things, durations and schemas that cannot be used. */
export function referenceProblems(document: JsonObject, tasks: readonly PlacedTask[]): readonly Problem[] {
  const use = objectOf(document['use']);
  const problems: Problem[] = [];
  const schema = objectOf(objectOf(document['input'])['schema'])['document'];
  if (schema !== undefined) problems.push(...schemaProblems(schema, '/input/schema/document'));
  for (const [name, policy] of Object.entries(objectOf(use['retries']))) problems.push(...retryProblems(policy, pointerTo('/use/retries', name)));
  for (const task of tasks) problems.push(...nameProblems(task), ...taskProblems(task, use));
  return problems;
}

function nameProblems({ pointer, list, position, name, siblings }: PlacedTask): readonly Problem[] {
  const problems: Problem[] = [];
  const say = (message: string): number => problems.push({ pointer, message });
  if (siblings.get(name)! < position) say(`Expected names that differ within ${list} but \`${excerpt(name)}\` stands there more than once`);
  if (FLOW_DIRECTIVES.includes(name)) say(`Expected a name other than ${names(FLOW_DIRECTIVES)}, which are flow directives, but ${pointer} is one of them`);
  // Escaping in pointers leaves it as it is, and it ends the pointer in the key of a task's run.
  if (name.includes('#')) say(`Expected a task name without \`#\`, which separates a task from its iteration, but ${pointer} has one`);
  if (name === '' || name.length > NAME_CHARACTERS_MAX) say(`Expected a task name of 1 to ${NAME_CHARACTERS_MAX} characters in ${list} but found one of ${name.length}`);
  return problems;
}

function taskProblems({ pointer, task, kind, siblings, isBranch }: PlacedTask, use: JsonObject): readonly Problem[] {
  const within = isBranch ? NO_SIBLINGS : siblings;
  const problems = thenProblems(task['then'], `${pointer}/then`, within);
  switch (kind) {
    case 'wait':
      return [...problems, ...durationProblems(task['wait'], `${pointer}/wait`)];
    case 'switch':
      return [...problems, ...cases(task).flatMap(({ at, fields }) => thenProblems(fields['then'], `${pointer}/switch/${at}/then`, within))];
    case 'for':
      return [...problems, ...loopVariableProblems(task, `${pointer}/for`)];
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

function loopVariableProblems(task: JsonObject, pointer: string): readonly Problem[] {
  const [item, index] = loopVariablesOf(task);
  const reserved = Object.entries({ each: item, at: index }).filter(([, name]) => RESERVED_VARIABLES.includes(name));
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
  const { delay, jitter } = objectOf(policy);
  const { from, to } = objectOf(jitter);
  const problems = [...durationProblems(delay, `${pointer}/delay`), ...durationProblems(from, `${pointer}/jitter/from`), ...durationProblems(to, `${pointer}/jitter/to`)];
  const [low, high] = [from, to].map((value) => (value === undefined ? undefined : parseDuration(value)));
  if (low?.ok && high?.ok && low.ms > high.ms)
    problems.push({ pointer: `${pointer}/jitter`, message: `Expected \`from\` to be at most \`to\` at ${pointer}/jitter but ${low.ms} ms is more than ${high.ms} ms` });
  return problems;
}

function thenProblems(target: Json | undefined, pointer: string, siblings: ReadonlyMap<string, number>): readonly Problem[] {
  if (typeof target !== 'string' || target === '' || FLOW_DIRECTIVES.includes(target) || siblings.has(target)) return [];
  if (siblings === NO_SIBLINGS)
    return [{ pointer, message: `Expected ${names(FLOW_DIRECTIVES)} at ${pointer}, as the branches of a fork run at the same time, but found ${JSON.stringify(excerpt(target))}` }];
  return [
    { pointer, message: `Expected ${names(FLOW_DIRECTIVES)} or a task of the same list (${names([...siblings.keys()].slice(0, 20))}) at ${pointer} but found ${JSON.stringify(excerpt(target))}` },
  ];
}

function nameProblem(name: Json | undefined, pointer: string, section: 'errors' | 'retries', use: JsonObject): readonly Problem[] {
  const known = objectOf(use[section]);
  if (typeof name !== 'string' || name === '' || Object.hasOwn(known, name)) return [];
  const declared = Object.keys(known).slice(0, 20);
  return [
    { pointer, message: `Expected a name that \`use.${section}\` declares (${declared.length > 0 ? names(declared) : 'it declares none'}) at ${pointer} but found ${JSON.stringify(excerpt(name))}` },
  ];
}

function durationProblems(value: Json | undefined, pointer: string): readonly Problem[] {
  if (typeof value !== 'string' && !isJsonObject(value)) return [];
  const reading = parseDuration(value);
  return reading.ok ? [] : [{ pointer, message: reading.rejection.message.replace(', but found', ` at ${pointer} but found`).replace(/\.$/, '') }];
}

/** What is wrong with a JSON Schema that stands in a document. */
export function schemaProblems(schema: Json, pointer: string): readonly Problem[] {
  if (typeof schema !== 'boolean' && !isJsonObject(schema)) return [];
  const fault = schemaFault(schema);
  return fault === undefined ? [] : [{ pointer, message: `Expected a JSON Schema (draft 2020-12) at ${pointer} but it cannot be used: ${fault}` }];
}

export const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
