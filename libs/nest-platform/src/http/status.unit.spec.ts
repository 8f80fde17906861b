import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { codeOfHttpStatus, statusOf } from './status.js';

describe('statusOf', () => {
  it.each([
    ['request-invalid', 400],
    ['unauthenticated', 401],
    ['denied', 403],
    ['not-found', 404],
    ['conflict', 409],
    ['request-too-large', 413],
    ['unknown-workflow', 422],
    ['no-route', 422],
    ['workflow-invalid', 422],
    ['workflow-syntax', 422],
    ['rate-limited', 429],
    ['overloaded', 503],
    ['timeout', 504],
  ])('answers %s with %i', (code, http) => {
    expect(statusOf(code).http).toBe(http);
  });

  it('takes an unknown code for a refusal, or for an outage when asking again makes sense', () => {
    expect(statusOf('never-heard-of')).toEqual({ http: 422, grpc: status.FAILED_PRECONDITION });
    expect(statusOf('never-heard-of', true)).toEqual({ http: 503, grpc: status.UNAVAILABLE });
    expect(statusOf('constructor').http).toBe(422);
  });

  it('gives back a code for each status that a framework may choose', () => {
    for (const http of [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503, 504, 500]) expect(statusOf(codeOfHttpStatus(http)).http).toBe(http);
  });
});
