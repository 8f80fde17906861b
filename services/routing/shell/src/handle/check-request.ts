// The limits of a request that came as a call; requests that came as CloudEvents were checked by their reader.
import { forbidden, REQUEST_LIMITS, type AcceptRequest, type Context } from '@weft/contracts';
import { isTenantId, rejection, type Json, type Rejection } from '@weft/kernel';
import { parseTraceparent } from '@weft/telemetry';

/** A request that may be stored: nothing in it is refused by the store, and its data is bounded. */
export interface Incoming {
  readonly tenant: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
  /** The data as it is stored and handed to the execution. */
  readonly dataJson: string;
  /** Who asks, why, and the trace it belongs to. */
  readonly context: Context;
}

export type RequestCheck = { readonly ok: true; readonly incoming: Incoming } | { readonly ok: false; readonly rejection: Rejection };

const CONTROL = /[\u0000-\u001f\u007f]/;

/** Checks a call's request. Rejections: `request-invalid`, `request-too-large`. */
export function checkRequest(request: AcceptRequest, context: Context, bytesMax: number = REQUEST_LIMITS.bytesMax): RequestCheck {
  const bytes = Buffer.byteLength(request.dataJson);
  if (bytes > bytesMax) return { ok: false, rejection: rejection('request-too-large', `Expected at most ${bytesMax} bytes of data but got ${bytes}.`) };
  const problems = [...attributeProblems(request)];
  if (!isTenantId(context.tenant)) problems.push(`tenant ${JSON.stringify(context.tenant)} is no tenant name`);
  let data: Json = null;
  try {
    data = request.dataJson === '' ? null : (JSON.parse(request.dataJson) as Json);
    const where = forbidden(data, '', 0);
    if (where !== undefined) problems.push(where);
  } catch (fault) {
    problems.push(`the data is not JSON: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
  if (problems.length > 0) return { ok: false, rejection: rejection('request-invalid', `Expected a request with id, source, type and JSON data, but ${problems.join('; ')}.`) };
  const { id, source, type, subject } = request;
  return { ok: true, incoming: { tenant: context.tenant, id, source, type, subject, data, dataJson: JSON.stringify(data), context: withReadableTrace(context) } };
}

/** A trace parent that names no trace is as good as missing: spans and ids are made as for a request without one. */
const withReadableTrace = (context: Context): Context => (parseTraceparent(context.traceparent) === undefined ? { ...context, traceparent: '', tracestate: '' } : context);

function* attributeProblems(request: AcceptRequest): Generator<string> {
  for (const name of ['id', 'source', 'type', 'subject'] as const) {
    const text = request[name];
    if (text === '' && name !== 'subject') yield `\`${name}\` is empty`;
    if (text.length > REQUEST_LIMITS.attributeCharactersMax) yield `\`${name}\` is longer than ${REQUEST_LIMITS.attributeCharactersMax} characters`;
    if (CONTROL.test(text)) yield `\`${name}\` contains a control character`;
    if (!text.isWellFormed()) yield `\`${name}\` contains half a surrogate pair`;
  }
}
