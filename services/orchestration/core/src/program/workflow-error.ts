// Errors as workflows see them. Source: RFC 9457 and the Open Workflow Specification, dsl-reference.md#error.
import type { Failure, Json } from '@weft/kernel';
import { canonicalErrorType } from '@weft/workflow';

/** An error that a task raises: `type` says what, `instance` is the JSON Pointer of the task. */
export interface WorkflowError {
  readonly type: string;
  readonly status: number;
  readonly title?: string;
  readonly detail?: string;
  readonly instance: string;
}

const STATUS = { configuration: 400, validation: 400, expression: 400, authentication: 401, authorization: 403, timeout: 408, communication: 500, runtime: 500 } as const;

/** Name of one of the eight standard error types. */
export type StandardError = keyof typeof STATUS;

const STANDARD_BASE = 'https://serverlessworkflow.io/spec/1.0.0/errors/';

/** One of the standard errors, with its status. */
export function standardError(name: StandardError, instance: string, title: string, detail?: string, status?: number): WorkflowError {
  return { type: canonicalErrorType(STANDARD_BASE + name), status: status ?? STATUS[name], title, instance, ...(detail === undefined ? {} : { detail }) };
}

// Failure codes that have a standard type of their own; what is not listed is a runtime error.
const TYPE_OF_CODE: Readonly<Record<string, StandardError>> = {
  denied: 'authorization',
  'input-invalid': 'validation',
  'output-invalid': 'validation',
  'not-configured': 'configuration',
  unauthenticated: 'authentication',
  timeout: 'timeout',
  'http-status': 'communication',
  unreachable: 'communication',
  'effect-unknown': 'communication',
  'model-unavailable': 'communication',
};

/** The workflow error that a worker's failure raises at a task. An HTTP status in the failure's details is kept. */
export function errorOfFailure(failure: Pick<Failure, 'code' | 'message' | 'details'>, instance: string): WorkflowError {
  const status = failure.details?.['status'];
  return standardError(TYPE_OF_CODE[failure.code] ?? 'runtime', instance, failure.code, failure.message, typeof status === 'number' ? status : undefined);
}

/** The error as data for expressions and events. */
export function errorJson(error: WorkflowError): Json {
  return { ...error };
}
