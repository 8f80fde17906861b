// Text to a checked document: every fault found at once, each with its place and what was meant.
import { isJsonObject, rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { isMap, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { Workflow } from './document.js';
import { checkDocument } from './check.js';

export interface WorkflowPorts {
  /** Says what is wrong with a jq expression that may use these variables (without `$`), or undefined. */
  readonly checkExpression: (text: string, variables: readonly string[]) => Rejection | undefined;
}

export type WorkflowReading = { readonly ok: true; readonly workflow: Workflow } | { readonly ok: false; readonly rejections: readonly Rejection[] };

const TEXT_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 64;
const PROBLEMS_MAX = 20;

/** A fault at a JSON Pointer of the document. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
}

/** Reads YAML or JSON and checks it. Codes: workflow-syntax, workflow-invalid. */
export function parseWorkflow(text: string, ports: WorkflowPorts): WorkflowReading {
  if (Buffer.byteLength(text) > TEXT_BYTES_MAX) return syntax(`Expected a definition of at most ${TEXT_BYTES_MAX} bytes but it has ${Buffer.byteLength(text)}.`);
  if (text.includes('\u0000')) return syntax(`Expected text but there is a NUL character at offset ${text.indexOf('\u0000')}.`);
  const lines = new LineCounter();
  let yaml: Document;
  try {
    yaml = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, maxAliasCount: 100 } as Parameters<typeof parseDocument>[1]);
  } catch (fault) {
    return syntax(`Expected YAML or JSON but ${fault instanceof Error ? fault.message : String(fault)}.`);
  }
  if (yaml.errors.length > 0) {
    return { ok: false, rejections: yaml.errors.slice(0, PROBLEMS_MAX).map((error) => rejection('workflow-syntax', `Expected YAML or JSON but at ${place(lines, error.pos[0])}: ${error.message}.`)) };
  }
  const depth = depthOf(yaml);
  if (depth > DEPTH_MAX) return syntax(`Expected at most ${DEPTH_MAX} levels of nesting but the definition has ${depth}.`);
  let document: Json;
  try {
    document = yaml.toJS({ maxAliasCount: 100 }) as Json;
  } catch (fault) {
    return syntax(`Expected a definition without repeated expansion of aliases but ${fault instanceof Error ? fault.message : String(fault)}.`);
  }
  if (!isJsonObject(document)) return syntax('Expected a definition: an object with `document` and `do`.');
  const problems = checkDocument(document as JsonObject, ports);
  if (problems.length === 0) return { ok: true, workflow: document as unknown as Workflow };
  return { ok: false, rejections: problems.slice(0, PROBLEMS_MAX).map((problem) => rejectionOf(problem, yaml, lines)) };
}

function rejectionOf({ pointer, message }: Problem, yaml: Document, lines: LineCounter): Rejection {
  const path = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let node: unknown;
  for (let length = path.length; length >= 0 && !node; length--) node = length === 0 ? yaml.contents : yaml.getIn(path.slice(0, length).map((part) => (/^\d+$/.test(part) ? Number(part) : part)), true);
  const offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? 0;
  const { line, col } = lines.linePos(offset);
  return rejection('workflow-invalid', `${message} At ${pointer || '/'} (line ${line}, column ${col}).`, { details: { pointer, line, column: col } });
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

function depthOf(yaml: Document): number {
  let deepest = 0;
  visit(yaml, {
    Collection(_key, node, path) {
      const depth = path.filter((parent) => isMap(parent) || 'items' in (parent as object)).length + 1;
      deepest = Math.max(deepest, depth);
      return deepest > DEPTH_MAX ? visit.BREAK : void node;
    },
  });
  return deepest;
}

const syntax = (message: string): WorkflowReading => ({ ok: false, rejections: [rejection('workflow-syntax', message)] });
