// What publish refuses of a document, and what it lets through and is probably not meant.
import { objectOf, type JsonObject } from '@weft/kernel';
import { parseWorkflow, type WorkflowPorts } from '../parse.js';
import { readSource } from '../source.js';
import { placedTasks } from '../tasks.js';
import { LINT_RULES } from './rules.js';

/** One thing found in a document. */
export interface LintFinding {
  /** The rule, or the code of the rejection that publish would give. */
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** A sentence; its place is beside it. */
  readonly message: string;
  /** JSON Pointer; undefined when the text is no document at all. */
  readonly pointer?: string;
  /** From 1; undefined for what has no place. */
  readonly line?: number;
  readonly column?: number;
}

/** All that is found, in the order of the text. Rules are not asked about a document that publish refuses. @param ignored ids of rules that are left out. */
export function lintWorkflow(text: string, ports: WorkflowPorts, ignored: readonly string[] = []): readonly LintFinding[] {
  const reading = parseWorkflow(text, ports);
  if (!reading.ok) return reading.rejections.map(({ code, message, details }) => ({ rule: code, severity: 'error' as const, message, ...(details as object) }));
  const source = readSource(text);
  if (!source.ok) return [];
  const { placeOf } = source.source;
  const document = reading.workflow as unknown as JsonObject;
  const linted = { document, use: objectOf(document['use']), tasks: placedTasks(document) };
  return LINT_RULES.filter(({ id }) => !ignored.includes(id))
    .flatMap(({ id, severity, check }) => check(linted).map(({ pointer, message }) => ({ rule: id, severity, message: `${message}.`, pointer, ...placeOf(pointer) })))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
