// The one gate: every route of the process needs a key, except health.
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { contextOf, type Context } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { Limiter } from '@weft/pipeline';
import { parseTraceparent } from '@weft/telemetry';
import type { Request } from 'express';
import { Authenticator, type Caller } from '../keys/authenticator.js';

/** A request whose caller is known. `context` is what goes on to the peers. */
export interface KnownRequest extends Request {
  caller: Caller;
  context: Context;
  /** The body's bytes as they came, where the body was parsed. */
  rawBody?: Buffer;
}

export const LIMITER = Symbol('weft.gateway.limiter');

/** Path of the routes that need no key. */
export const OPEN_PREFIX = '/health/';

@Injectable()
export class KeyGuard implements CanActivate {
  constructor(
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(LIMITER) private readonly limiter: Limiter,
  ) {}

  /** Lets known callers in, and only as often as their key may ask. @throws Refused `unauthenticated`, `rate-limited`. */
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    if (execution.getType() !== 'http') return true;
    const request = execution.switchToHttp().getRequest<KnownRequest>();
    if (request.path.startsWith(OPEN_PREFIX)) return true;
    const caller = await this.authenticator.authenticate(request.get('authorization'));
    const { allowed, retryAfterMs } = await this.limiter.take(caller.keyId);
    if (!allowed) refuse('rate-limited', `Expected fewer requests with key ${caller.keyId}: ask again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`, { retryable: true, retryAfterMs });
    request.caller = caller;
    request.context = contextOf({ tenant: caller.tenant, actor: caller.actor, ...traceOf(request) });
    return true;
  }
}

/** The caller's trace goes on; a header that names none is as good as missing. */
function traceOf(request: Request): Pick<Context, 'traceparent' | 'tracestate'> {
  const traceparent = request.get('traceparent') ?? '';
  return parseTraceparent(traceparent) === undefined ? { traceparent: '', tracestate: '' } : { traceparent, tracestate: request.get('tracestate') ?? '' };
}
