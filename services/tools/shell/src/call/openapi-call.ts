// `call: openapi` made ready: the operation of its document, with arguments that fit, as one exchange over HTTP.
import { createHash } from 'node:crypto';
import type { Job } from '@weft/contracts';
import { rejection, type Failure } from '@weft/kernel';
import { operationArguments, operationOf, operationRequest, readOpenApiCall, type Documents, type HttpCall, type OpenApiCall, type Operation } from '@weft/tools/core';
import { rawUriOf } from '@weft/workflow';
import { loadDocuments } from '../openapi/load-documents.js';
import { compileForeignSchema, type SchemaCheck } from '../registry/schemas.js';
import { SourceUnavailable } from '../source/tool-source.js';
import { notMakeable, type CallMaker } from './call-making.js';
import { exchangeWork, hostOf, type ExchangePorts } from './exchange-work.js';
import type { Resources } from './resources.js';

export interface OpenApiPorts extends ExchangePorts {
  readonly resources: Resources;
}

/** An operation ready to be called, as often as it is. */
interface ReadyOperation {
  readonly operation: Operation;
  readonly problemOf: SchemaCheck;
  /** Absolute URL that paths are appended to. */
  readonly server: string;
}

type Finding = { readonly ok: true; readonly ready: ReadyOperation } | { readonly ok: false; readonly failure: Failure };

const KEPT_MAX = 200;
const LOAD_MS = 15_000;

export function openApiCalls(ports: OpenApiPorts): CallMaker {
  const find = operationFinder(ports);
  return async (job, args, { withheld, withCredentials }) => {
    const reading = readOpenApiCall(args);
    if (!reading.ok) return notMakeable({ action: 'openapi', url: '', method: '', effect: 'read' }, reading.failure);
    const found = await find(job, reading.value);
    if (!found.ok) return notMakeable({ action: 'openapi', url: reading.value.document.uri, method: 'GET', effect: 'read' }, found.failure);
    const { operation, server } = found.ready;
    const called = httpCallOf(found.ready, reading.value);
    if (!called.ok) return notMakeable({ action: 'openapi', url: server, method: operation.wire.method, effect: operation.effect }, called.failure);
    const { call } = called;
    const callWith = (credentials: Parameters<NonNullable<typeof withCredentials>>[0]): HttpCall | undefined => {
      const again = readOpenApiCall(withCredentials?.(credentials) ?? null);
      const second = again.ok ? httpCallOf(found.ready, again.value) : undefined;
      return second?.ok ? second.call : undefined;
    };
    const made = exchangeWork(ports, job, { name: 'call:openapi', taint: `openapi:${hostOf(call.request.url)}`, call, withheld, ...(withCredentials ? { callWith } : {}) });
    return { on: { action: 'openapi', url: call.request.url, method: call.request.method, effect: call.effect }, made };
  };
}

function httpCallOf({ operation, problemOf, server }: ReadyOperation, given: OpenApiCall): { readonly ok: true; readonly call: HttpCall } | { readonly ok: false; readonly failure: Failure } {
  const args = operationArguments(operation, given.parameters);
  const problem = problemOf(args);
  if (problem !== undefined)
    return { ok: false, failure: rejection('input-invalid', `Expected parameters that operation ${JSON.stringify(given.operationId)} takes but ${problem.replace(/\.$/, '')}.`) };
  const made = operationRequest(operation.wire, server, args, {});
  if (!made.ok) return made;
  const { authentication, output, isRedirectSuccess } = given;
  return { ok: true, call: { request: made.request, ...(authentication === undefined ? {} : { authentication }), effect: operation.effect, output, isRedirectSuccess } };
}

/** Finds operations; documents that were read are kept by their text. */
function operationFinder({ egress, resources }: OpenApiPorts): (job: Job, call: OpenApiCall) => Promise<Finding> {
  const kept = new Map<string, Finding>();
  return async (job, { document, operationId }) => {
    const source = await resources.textOf(job, document);
    if (!source.ok) return source;
    const key = createHash('sha256')
      .update(JSON.stringify([document.uri, operationId, source.text]))
      .digest('base64');
    const known = kept.get(key);
    if (known) return known;
    let documents: Documents;
    try {
      const origin = `call: openapi of workflow ${job.workflow}`;
      // Where calls may go, and nowhere besides: the address of its document is the author's word.
      const ports = { egress, source: origin, signal: AbortSignal.timeout(LOAD_MS), origins: [] };
      documents = await loadDocuments(new URL(rawUriOf(document.uri)), ports, source.text);
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      return unusable(error.message);
    }
    const found = readyOperation(documents, document.uri, operationId);
    if (kept.size >= KEPT_MAX) kept.clear();
    // What lies in other documents may have changed by the next call.
    if (documents.length === 1) kept.set(key, found);
    return found;
  };
}

function readyOperation(documents: Documents, uri: string, operationId: string): Finding {
  const operation = operationOf(documents, operationId);
  if (typeof operation === 'string') return unusable(`Expected an operation ${JSON.stringify(operationId)} in the document ${uri} but ${operation}.`);
  const server = URL.canParse(operation.wire.server, uri) ? new URL(operation.wire.server, uri) : undefined;
  if (!server || !/^https?:$/.test(server.protocol))
    return unusable(`Expected an http or https server of operation ${JSON.stringify(operationId)} but ${uri} names ${JSON.stringify(operation.wire.server)}.`);
  try {
    return { ok: true, ready: { operation, problemOf: compileForeignSchema(operation.input), server: server.href.replace(/\/$/, '') } };
  } catch (error) {
    return unusable(`Expected parameters of operation ${JSON.stringify(operationId)} that can be checked but ${(error as Error).message}.`);
  }
}

const unusable = (message: string): Extract<Finding, { ok: false }> => ({ ok: false, failure: rejection('not-configured', message) });
