// Text to a checked document: every fault found at once, each with its place and what was meant.
import { isJsonObject, rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { authenticationProblems } from './authentication.js';
import type { Workflow } from './document.js';
import { notYetProblems } from './carried-out.js';
import { disabledProblems, type Enabled } from './enabled.js';
import type { ExpressionPorts } from './expression-texts.js';
import { expressionProblems } from './expressions.js';
import type { Problem } from './problem.js';
import { referenceProblems } from './references.js';
import { searchAttributeProblems } from './search-attributes.js';
import { ancestors, shapeProblems } from './shape.js';
import { readSource, type Place } from './source.js';
import { placedTasks } from './tasks.js';
import { excerpt, kindOf } from './words.js';

/** What the check of a document needs from outside. */
export interface WorkflowPorts extends ExpressionPorts {
  /** What the deployment lets workflows do; undefined: that is not judged. */
  readonly enabled?: Enabled | undefined;
}

export type WorkflowReading = { readonly ok: true; readonly workflow: Workflow } | { readonly ok: false; readonly rejections: readonly Rejection[] };

const MESSAGE_CHARACTERS_MAX = 1_000;

/** Faults told of one document. */
export const REJECTIONS_MAX = 50;

/**
 * Reads a definition from YAML or JSON and checks it as publish does. All faults are reported together, in the order of the text.
 * Rejections: `workflow-syntax` (no YAML or JSON object, or more of it than is allowed; details {line, column}) and
 * `workflow-invalid` (details {pointer, line, column}); lines and columns count from 1.
 */
export function parseWorkflow(text: string, ports: WorkflowPorts): WorkflowReading {
  const reading = readSource(text);
  if (!reading.ok)
    return { ok: false, rejections: reading.faults.map(({ message, place }) => rejection('workflow-syntax', `${message}${placeWords(place)}.`, place ? { details: { ...place } } : {})) };
  const { value, placeOf } = reading.source;
  if (!isJsonObject(value)) return { ok: false, rejections: [rejection('workflow-syntax', `Expected a workflow document, an object with \`document\` and \`do\`, but found ${kindOf(value)}.`)] };
  const problems = documentProblems(value, ports);
  if (problems.length === 0) return { ok: true, workflow: value as unknown as Workflow };
  return { ok: false, rejections: rejectionsOf(problems, placeOf) };
}

/** What is wrong with a document that is JSON already. */
export function documentProblems(document: JsonObject, ports: WorkflowPorts): readonly Problem[] {
  const tasks = placedTasks(document);
  const shape = shapeProblems(document, tasks);
  // What has the wrong shape is not told again for its meaning; a task is more than its shape.
  const misshapen = new Set(shape.flatMap(({ pointer }) => ancestors(pointer)));
  for (const { pointer } of tasks) misshapen.delete(pointer);
  const meaning = [...referenceProblems(document, tasks), ...authenticationProblems(document, tasks), ...searchAttributeProblems(document), ...expressionProblems(document, tasks, ports)];
  return [...shape, ...notYetProblems(document, tasks), ...(ports.enabled ? disabledProblems(tasks, ports.enabled) : []), ...meaning.filter(({ pointer }) => !misshapen.has(pointer))];
}

function rejectionsOf(problems: readonly Problem[], placeOf: (pointer: string) => Place): readonly Rejection[] {
  const told = problems
    .slice(0, REJECTIONS_MAX)
    .map((problem) => ({ ...problem, place: placeOf(problem.pointer) }))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ pointer, message, place }) =>
      rejection('workflow-invalid', `${excerpt(message, MESSAGE_CHARACTERS_MAX)}${placeWords(place)}.`, {
        details: { pointer: excerpt(pointer, MESSAGE_CHARACTERS_MAX), ...place } satisfies Record<string, Json>,
      }),
    );
  if (problems.length <= REJECTIONS_MAX) return told;
  return [...told, rejection('workflow-invalid', `Expected a valid workflow but there are ${problems.length - REJECTIONS_MAX} more faults.`)];
}

const placeWords = (place: Place | undefined): string => (place ? ` (line ${place.line}, column ${place.column})` : '');
