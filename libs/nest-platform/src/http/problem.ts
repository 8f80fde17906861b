// What an HTTP caller is told when something did not work. Source: RFC 9457.
import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { Refused, rejection, type Json, type Rejection } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { codeOfHttpStatus, statusOfRejection } from './status.js';

/** The body of an `application/problem+json` answer. `type` names the page of the code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly details?: { readonly [key: string]: Json };
}

/** The problem that tells of a rejection. */
export function problemOf(refusal: Rejection, status: number = statusOfRejection(refusal).http): Problem {
  const { code, message, retryable, retryAfterMs, details } = refusal;
  return {
    type: `urn:weft:error:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
}

/** What was asked, for sentences about it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
}

/** The problem for anything thrown while answering, and whether it is a surprise that belongs into the log. */
export function problemOfThrown(thrown: unknown, asked: Asked): { readonly problem: Problem; readonly unexpected: boolean } {
  if (thrown instanceof Refused) return { problem: problemOf(thrown.rejection), unexpected: false };
  if (thrown instanceof Fault && thrown.retryable) {
    return {
      problem: problemOf(
        rejection('overloaded', 'Expected to answer now but a part of Weft cannot be reached. Ask again with the same id: it is done once.', { retryable: true, retryAfterMs: 1_000 }),
      ),
      unexpected: true,
    };
  }
  const refusal = bodyRefusal(thrown) ?? frameworkRefusal(thrown, asked);
  if (refusal !== undefined) return { problem: problemOf(refusal.rejection, refusal.status), unexpected: false };
  return { problem: problemOf(rejection('internal', 'Expected to answer but met an internal error; it is in the log of the service.')), unexpected: true };
}

interface StatusRefusal {
  readonly status: number;
  readonly rejection: Rejection;
}

// The shape of errors of Express' body parsers (http-errors with a `type`).
interface BodyError {
  readonly type: string;
  readonly status: number;
  readonly message: string;
  readonly limit?: number;
  readonly length?: number;
  readonly encoding?: string;
  readonly charset?: string;
}

function bodyRefusal(thrown: unknown): StatusRefusal | undefined {
  // Nest wraps a parser's SyntaxError into an HttpException and keeps the original as its cause.
  const error = isBodyError(thrown) ? thrown : thrown instanceof Error && isBodyError(thrown.cause) ? thrown.cause : undefined;
  if (error === undefined) return undefined;
  const { type, status } = error;
  switch (type) {
    case 'entity.too.large':
      return { status, rejection: rejection('request-too-large', `Expected a body of at most ${error.limit} bytes but ${error.length === undefined ? 'it has more' : `it has ${error.length}`}.`) };
    case 'entity.parse.failed':
      return { status, rejection: rejection('request-invalid', `Expected the body to be JSON in UTF-8 but it is not: ${error.message}.`) };
    case 'encoding.unsupported':
      return { status, rejection: rejection('unsupported-media-type', `Expected a body that is plain, gzip, deflate or br but its content-encoding is ${JSON.stringify(error.encoding)}.`) };
    case 'charset.unsupported':
      return { status, rejection: rejection('unsupported-media-type', `Expected a body in UTF-8 but its charset is ${JSON.stringify(error.charset)}.`) };
    case 'request.aborted':
    case 'request.size.invalid':
      return { status, rejection: rejection('request-invalid', 'Expected the whole body that content-length announces but it ended early.') };
    default:
      return { status, rejection: rejection(codeOfHttpStatus(status), `Expected a body that can be read but it cannot: ${error.message}.`) };
  }
}

function isBodyError(thrown: unknown): thrown is BodyError {
  return thrown instanceof Error && 'type' in thrown && typeof thrown.type === 'string' && 'status' in thrown && typeof thrown.status === 'number' && thrown.status < 500;
}

function frameworkRefusal(thrown: unknown, { method, path }: Asked): StatusRefusal | undefined {
  if (thrown instanceof HttpException) {
    const status = thrown.getStatus();
    if (status >= 500) return undefined;
    const code = codeOfHttpStatus(status);
    const routeMissing = status === 404 && thrown.message.startsWith(`Cannot ${method} `);
    return { status, rejection: rejection(code, routeMissing ? `Expected a known path but there is no ${method} ${path}.` : thrown.message) };
  }
  // Errors of the http-errors family that say themselves that they may be shown.
  if (thrown instanceof Error && 'expose' in thrown && thrown.expose === true && 'status' in thrown && typeof thrown.status === 'number' && thrown.status < 500) {
    return { status: thrown.status, rejection: rejection(codeOfHttpStatus(thrown.status), thrown.message) };
  }
  return undefined;
}
