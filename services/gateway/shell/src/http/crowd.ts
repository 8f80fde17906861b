// The door's own bound: calls that ask for work and have not been accepted or refused yet. Beyond it they are refused unread.
import { problemOf } from '@weft/nest-platform';
import { rejection } from '@weft/kernel';
import type { Request, RequestHandler, Response } from 'express';
import { openAiError } from './openai-error.filter.js';

const REQUESTS = '/v1/requests';
const CHATS = '/v1/chat/completions';
const MCP = '/mcp';
const BOUND: ReadonlySet<string> = new Set([REQUESTS, CHATS, MCP]);
const RETRY_AFTER_S = 1;
// Names of requests that were accepted here lately: whoever asks again is let in beyond the bound, as far as once more.
const ACCEPTED_MAX = 10_000;
const AGAIN_SHARE = 2;

const LEAVE = Symbol('weft.gateway.leave');
type Counted = Response & { [LEAVE]?: (isAccepted: boolean) => void };

/**
 * Middleware before bodies are parsed and keys looked up: refusing costs next to nothing. A call counts until it is
 * accepted (`leaveCrowd`) or answered; whoever waits for a result is not in the crowd any more. Who asks again for what was
 * accepted here lately, under the same `Idempotency-Key` or `ce-id`, is let in all the same.
 * @param acceptingMax calls at most, from 1.
 */
export function boundCrowd(acceptingMax: number): RequestHandler {
  let crowd = 0;
  const acceptedNames = new Set<string>();
  return (request, response, next) => {
    const path = routeOf(request);
    if (request.method !== 'POST' || !BOUND.has(path)) return next();
    const name = request.get('idempotency-key') ?? request.get('ce-id') ?? '';
    if (crowd >= (acceptedNames.has(name) ? acceptingMax * AGAIN_SHARE : acceptingMax)) return refuseUnread(request, response, acceptingMax);
    crowd++;
    let isIn = true;
    const leave = (isAccepted: boolean): void => {
      if (isIn) crowd--;
      isIn = false;
      if (!isAccepted || name === '') return;
      acceptedNames.add(name);
      // A set keeps the order of its adding: the oldest goes.
      if (acceptedNames.size > ACCEPTED_MAX) acceptedNames.delete(acceptedNames.values().next().value!);
    };
    (response as Counted)[LEAVE] = leave;
    response.once('close', () => leave(false));
    next();
  };
}

/** The call is accepted: another may come in its place, however long this one waits for its answer. */
export function leaveCrowd(response: Response): void {
  (response as Counted)[LEAVE]?.(true);
}

/** The path as the router takes it: it is not particular about case nor about a slash at the end. */
const routeOf = ({ path }: Request): string => path.replace(/\/$/, '').toLowerCase();

function refuseUnread(request: Request, response: Response, acceptingMax: number): void {
  const problem = problemOf(
    rejection('overloaded', `Expected at most ${acceptingMax} calls to be accepted at a time but there are that many. Ask again with the same id: it is done once.`, {
      retryable: true,
      retryAfterMs: RETRY_AFTER_S * 1000,
    }),
  );
  response.status(problem.status).setHeader('Retry-After', RETRY_AFTER_S);
  if (routeOf(request) === CHATS) response.json(openAiError(problem));
  else response.type('application/problem+json').send(JSON.stringify(problem));
}
