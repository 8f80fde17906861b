// Codes to statuses, once for HTTP and gRPC. No other place knows a status.
import { status as grpc } from '@grpc/grpc-js';
import type { Rejection } from '@weft/kernel';

export interface Status {
  readonly http: number;
  readonly grpc: number;
}

const invalid: Status = { http: 400, grpc: grpc.INVALID_ARGUMENT };
const unauthenticated: Status = { http: 401, grpc: grpc.UNAUTHENTICATED };
const denied: Status = { http: 403, grpc: grpc.PERMISSION_DENIED };
const notFound: Status = { http: 404, grpc: grpc.NOT_FOUND };
const conflict: Status = { http: 409, grpc: grpc.ABORTED };
const tooLarge: Status = { http: 413, grpc: grpc.OUT_OF_RANGE };
const unprocessable: Status = { http: 422, grpc: grpc.FAILED_PRECONDITION };
const exhausted: Status = { http: 429, grpc: grpc.RESOURCE_EXHAUSTED };
const unavailable: Status = { http: 503, grpc: grpc.UNAVAILABLE };

const STATUS: Readonly<Record<string, Status>> = {
  'request-invalid': invalid,
  'message-invalid': invalid,
  'config-invalid': invalid,
  unauthenticated,
  denied,
  'approval-required': denied,
  'not-found': notFound,
  'unknown-topic': notFound,
  'unknown-execution': notFound,
  'unknown-review': notFound,
  'unknown-tool': notFound,
  'unknown-effect': notFound,
  'method-not-allowed': { http: 405, grpc: grpc.UNIMPLEMENTED },
  conflict,
  'review-not-open': conflict,
  'review-claimed': conflict,
  'review-not-yours': denied,
  'too-many-changes': conflict,
  'execution-ended': conflict,
  'operation-not-possible': conflict,
  'tool-changed': conflict,
  'request-too-large': tooLarge,
  'payload-too-large': tooLarge,
  'unsupported-media-type': { http: 415, grpc: grpc.INVALID_ARGUMENT },
  unprocessable,
  'unknown-workflow': unprocessable,
  'no-route': unprocessable,
  'workflow-invalid': unprocessable,
  'workflow-syntax': unprocessable,
  'budget-exceeded': { http: 402, grpc: grpc.RESOURCE_EXHAUSTED },
  'rate-limited': exhausted,
  'too-many-signals': exhausted,
  overloaded: unavailable,
  unavailable,
  timeout: { http: 504, grpc: grpc.DEADLINE_EXCEEDED },
  internal: { http: 500, grpc: grpc.INTERNAL },
};

/** The statuses of a code. A code that is not listed is a refusal of what was asked: 422, or 503 when asking again makes sense. */
export function statusOf(code: string, retryable = false): Status {
  return Object.hasOwn(STATUS, code) ? STATUS[code]! : retryable ? unavailable : unprocessable;
}

/** The statuses of a rejection. */
export const statusOfRejection = ({ code, retryable }: Rejection): Status => statusOf(code, retryable);

/** The code for an HTTP status that a framework or middleware chose. */
export function codeOfHttpStatus(status: number): string {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'denied';
    case 404:
      return 'not-found';
    case 405:
      return 'method-not-allowed';
    case 409:
      return 'conflict';
    case 413:
      return 'request-too-large';
    case 415:
      return 'unsupported-media-type';
    case 422:
      return 'unprocessable';
    case 429:
      return 'rate-limited';
    case 503:
      return 'overloaded';
    case 504:
      return 'timeout';
    default:
      return status >= 400 && status < 500 ? 'request-invalid' : 'internal';
  }
}
