// The shape of a document: its schema, with each task judged as the one kind that was meant.
import { isJsonObject, type JsonObject } from '@weft/kernel';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { callTargetOf } from './call-target.js';
import { WORKFLOW_SCHEMA } from './document.schema.js';
import { FUNCTION_NAMES, isFunctionName } from './functions.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { PROTOCOL_CALLS } from './schema/calls.schema.js';
import { meant, schemaSentence } from './schema-sentence.js';
import { TASK_KINDS } from './task-kind.js';
import type { PlacedTask } from './tasks.js';
import { excerpt, names } from './words.js';

const ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true, logger: false });
// Compiled by the first document that is judged: it takes a tenth of a second, which a start after a crash does not have.
let compiled: ValidateFunction | undefined;

// More than anyone reads; what lies beyond is not worth its sentences.
const PROBLEMS_MAX = 1_000;

/** Faults of shape. What is wrong inside a task of no known kind, or a call of no known function, is not told: nothing was meant there. */
export function shapeProblems(document: JsonObject, tasks: readonly PlacedTask[]): readonly Problem[] {
  const use = isJsonObject(document['use']) ? document['use'] : {};
  const problems = tasks.flatMap((placed) => kindProblem(placed) ?? callProblem(placed, use) ?? []);
  const isWorkflow = (compiled ??= ajv.compile(WORKFLOW_SCHEMA));
  if (isWorkflow(document)) return problems;
  const opaque = new Set(problems.map(({ pointer }) => pointer));
  const ownCalls = new Set(tasks.filter(({ task, kind }) => kind === 'call' && isOwnFunction(task['call'], use)).map(({ pointer }) => pointer));
  const kinds = new Map(tasks.map(({ pointer, kind }) => [pointer, kind]));
  const place = (pointer: string): string => {
    const kind = kinds.get(pointer);
    const shown = excerpt(pointer, 300) || 'the document';
    return kind === undefined ? shown : `the \`${kind}\` task ${shown}`;
  };
  for (const error of meant(isWorkflow.errors ?? []).slice(0, PROBLEMS_MAX)) {
    if (ancestors(error.instancePath).some((pointer) => opaque.has(pointer)) || isOfNamesake(error, ownCalls)) continue;
    const extra: unknown = error.params['additionalProperty'];
    problems.push({ pointer: typeof extra === 'string' ? pointerTo(error.instancePath, extra) : error.instancePath, message: schemaSentence(error, { place, showsValues: true }) });
  }
  return distinct(problems);
}

function kindProblem({ pointer, task, kind }: PlacedTask): Problem | undefined {
  if (kind !== undefined) return undefined;
  const keys = Object.keys(task);
  const several = TASK_KINDS.filter((candidate) => keys.includes(candidate));
  if (several.length > 0) return { pointer, message: `Expected one kind of task but ${pointer} is ${several.map((one) => `\`${one}\``).join(' and ')} at once` };
  return { pointer, message: `Expected a task with one of ${names(TASK_KINDS)} but ${pointer} has ${keys.length > 0 ? `only ${names(keys.slice(0, 10))}` : 'no fields'}` };
}

function callProblem({ pointer, task, kind }: PlacedTask, use: JsonObject): Problem | undefined {
  const call = task['call'];
  if (kind !== 'call' || typeof call !== 'string' || callTargetOf(call, use)) return undefined;
  const [catalogued] = call.split(':');
  const hint = catalogued !== undefined && isFunctionName(catalogued) ? `: write \`${catalogued}\` or \`${catalogued}:1.0.0@default\`` : '';
  const known = names([...PROTOCOL_CALLS, ...FUNCTION_NAMES]);
  return {
    pointer,
    message: `Expected a call of ${known}, of a function of \`use.functions\`, of \`name:version@catalogue\` or of a URL but ${pointer} calls ${JSON.stringify(excerpt(call))}${hint}`,
  };
}

const isOwnFunction = (call: unknown, use: JsonObject): boolean => typeof call === 'string' && ['local', 'catalogued'].includes(callTargetOf(call, use)?.kind ?? '');

/** Whether a fault is of the arguments of a function of the default catalogue, where the author's own of the same name is called. */
function isOfNamesake({ instancePath, schemaPath }: ErrorObject, ownCalls: ReadonlySet<string>): boolean {
  return /^#\/\$defs\/(?:\w+Arguments\/|callTask\/allOf\/)/.test(schemaPath) && ancestors(instancePath).some((pointer) => ownCalls.has(pointer));
}

/** A pointer and all that it lies in, itself first. */
export function ancestors(pointer: string): readonly string[] {
  const ends = [...pointer.matchAll(/\//g)].map(({ index }) => index);
  return [pointer, ...ends.map((end) => pointer.slice(0, end))];
}

function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.pointer}\n${problem.message}`, problem])).values()];
}
