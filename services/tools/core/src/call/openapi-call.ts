// The standard's `call: openapi`, as its job's arguments. Source: Open Workflow Specification 1.0.3, dsl-reference.md#openapi-call.
import type { Json, JsonObject } from '@weft/kernel';
import type { HttpOutput } from '../outcome/http-call.js';
import { reading, type Reading, type ResourceReference } from './fields.js';

export interface OpenApiCall {
  readonly document: ResourceReference;
  readonly operationId: string;
  readonly parameters: JsonObject;
  readonly authentication: Json | undefined;
  readonly output: HttpOutput;
  readonly isRedirectSuccess: boolean;
}

/** Reads the arguments, in which all expressions and secrets are filled in. Failure code: `input-invalid`. */
export const readOpenApiCall = (args: Json): Reading<OpenApiCall> =>
  reading('an OpenAPI call', args, (fields) => ({
    document: fields.resource('document'),
    operationId: fields.text('operationId'),
    parameters: fields.record('parameters'),
    authentication: fields.get('authentication'),
    output: fields.oneOf<HttpOutput>('output', ['content', 'response', 'raw'], 'content'),
    isRedirectSuccess: fields.flag('redirect', false),
  }));
