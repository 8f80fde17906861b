// Errors as workflows see them. Source: RFC 9457; Open Workflow Specification 1.0.3, dsl-reference.md#error.

import type { Json } from '@weft/kernel';
import { canonicalJson } from './canonical.js';

/** Where the eight standard error types live, in the one form that Weft stores and compares. */
export const STANDARD_ERROR_BASE = 'https://serverlessworkflow.io/spec/1.0.0/errors/';

/** Names of the standard error types with their statuses. */
export const STANDARD_ERROR_STATUS = {
  configuration: 400,
  validation: 400,
  expression: 400,
  authentication: 401,
  authorization: 403,
  timeout: 408,
  communication: 500,
  runtime: 500,
} as const;

/** Error type of a cancel, Weft's own beside the standard ones: only a `catch` that names it takes a cancel. Status 499: the caller no longer wants it. */
export const CANCELLED = { type: `${STANDARD_ERROR_BASE}cancelled`, status: 499 } as const;

export type StandardErrorName = keyof typeof STANDARD_ERROR_STATUS;

export const STANDARD_ERRORS = Object.keys(STANDARD_ERROR_STATUS) as readonly StandardErrorName[];

/** The standard error types: canonical URI and default status by name. */
export const ERROR_TYPES: Readonly<Record<StandardErrorName, { readonly type: string; readonly status: number }>> = Object.freeze(
  Object.fromEntries(STANDARD_ERRORS.map((name) => [name, { type: STANDARD_ERROR_BASE + name, status: STANDARD_ERROR_STATUS[name] }])) as Record<StandardErrorName, { type: string; status: number }>,
);

/** An error raised by a task. `instance` is the JSON Pointer of the task, set by the engine. */
export interface WorkflowErrorFields {
  readonly type: string;
  readonly status: number;
  readonly title?: string;
  readonly detail?: string;
  readonly instance: string;
  /** Of a fork whose competing branches all failed: the errors before the last one. */
  readonly causes?: readonly Json[];
}

// Two hosts (before and after the specification changed its name) and two paths (the text's and the conformance suite's).
const STANDARD = /^https?:\/\/(?:serverlessworkflow\.io|open-workflow-specification\.org)\/(?:spec\/\d+\.\d+\.\d+\/errors|dsl\/errors\/types)\/([a-z]+)$/;

/** The one form of an error type: the standard types and `cancelled`, however a document writes them, are the same. Other types stay as they are. */
export function canonicalErrorType(uri: string): string {
  const name = STANDARD.exec(uri)?.[1];
  return name !== undefined && (name === 'cancelled' || Object.hasOwn(STANDARD_ERROR_STATUS, name)) ? STANDARD_ERROR_BASE + name : uri;
}

/** What `catch.errors.with` can compare. */
export interface ErrorFilter {
  readonly type?: string;
  readonly status?: number;
  readonly instance?: string;
  readonly title?: string;
  readonly detail?: string;
  /** The same as `detail`: the standard's schema and its text name it differently. */
  readonly details?: string;
}

/** Whether all fields of a filter equal the error's; types are compared in canonical form. No filter matches every error. */
export function errorMatches(filter: ErrorFilter | undefined, error: WorkflowErrorFields): boolean {
  if (!filter) return true;
  const { type, details, ...rest } = filter;
  if (details !== undefined && details !== error.detail) return false;
  if (type !== undefined && canonicalErrorType(type) !== canonicalErrorType(error.type)) return false;
  return Object.entries(rest).every(([field, wanted]) => wanted === undefined || isEqual(error[field as keyof WorkflowErrorFields], wanted as Json));
}

function isEqual(value: unknown, wanted: Json): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  return value !== undefined && canonicalJson(value as Json) === canonicalJson(wanted);
}
