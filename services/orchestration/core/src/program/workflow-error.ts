// Errors as workflows see them. Source: RFC 9457 and the Open Workflow Specification, dsl-reference.md#error.
import type { Failure, Json } from '@weft/kernel';
import { ERROR_TYPES, STANDARD_ERRORS, type StandardErrorName, type WorkflowErrorFields } from '@weft/workflow';

/** An error that a task raises: `type` says what, `instance` is the JSON Pointer of the task. */
export type WorkflowError = WorkflowErrorFields;

/** One of the standard errors, with its own status unless another is given. */
export function standardError(name: StandardErrorName, instance: string, title: string, detail?: string, status?: number): WorkflowError {
  const standard = ERROR_TYPES[name];
  return { type: standard.type, status: status ?? standard.status, title, instance, ...(detail === undefined ? {} : { detail }) };
}

/** What a task is given is not what it takes. */
export const inputInvalid = ({ pointer }: { readonly pointer: string }, detail: string): WorkflowError => standardError('validation', pointer, 'input-invalid', detail);

// Failure codes that have a standard type of their own; what is not listed is a runtime error.
const TYPE_OF_CODE: Readonly<Record<string, StandardErrorName>> = {
  denied: 'authorization',
  'secret-missing': 'authorization',
  'expression-failed': 'expression',
  'approval-required': 'authorization',
  'budget-exceeded': 'authorization',
  'input-invalid': 'validation',
  'output-invalid': 'validation',
  'payload-too-large': 'validation',
  'not-configured': 'configuration',
  unauthenticated: 'authentication',
  timeout: 'timeout',
  'http-status': 'communication',
  unreachable: 'communication',
  'effect-unknown': 'communication',
  'tool-failed': 'communication',
  'tool-quarantined': 'authorization',
  'model-unavailable': 'communication',
  'stream-broken': 'communication',
};

// Whatever goes wrong between them and their server is a runtime error. Source: dsl-reference.md, #a2a-call and #mcp-call.
const RUNTIME_KINDS: ReadonlySet<string> = new Set(['a2a', 'mcp']);

/** The workflow error that a worker's failure raises at a task of a kind of job. Of the failure's details an HTTP `status` is kept, and `errorType` names a standard error that the code does not tell. */
export function errorOfFailure(failure: Pick<Failure, 'code' | 'message' | 'details'>, instance: string, kind = ''): WorkflowError {
  const { status, errorType } = failure.details ?? {};
  const type = STANDARD_ERRORS.find((name) => name === errorType) ?? TYPE_OF_CODE[failure.code] ?? 'runtime';
  return standardError(type === 'communication' && RUNTIME_KINDS.has(kind) ? 'runtime' : type, instance, failure.code, failure.message, typeof status === 'number' ? status : undefined);
}

/** The error as data for expressions and events. */
export function errorJson(error: WorkflowError): Json {
  return { ...error };
}
