// One span a request, from the door to the answer.
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { tracerFor } from '@weft/nest-platform';
import { ATTRIBUTE, inSpan, SPAN, traced } from '@weft/telemetry';
import type { Response } from 'express';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { KnownRequest } from './key.guard.js';

@Injectable()
export class TraceInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = execution.getType() === 'http' ? execution.switchToHttp() : undefined;
    const request = http?.getRequest<KnownRequest | undefined>();
    // Probes have no caller and no trace.
    if (request?.context === undefined) return next.handle();
    const attributes = { [ATTRIBUTE.httpMethod]: request.method, [ATTRIBUTE.httpRoute]: String((request.route as { path?: unknown } | undefined)?.path ?? request.path) };
    return from(
      inSpan(tracerFor('gateway'), SPAN.request, { kind: 'server', context: request.context, attributes }, async (inside, span) => {
        // A trace id exists also when nothing is recorded: the caller is told it, and the execution carries it.
        const context = traced(inside);
        request.context = context;
        const answer = await lastValueFrom<unknown, undefined>(next.handle(), { defaultValue: undefined });
        span?.setAttribute(ATTRIBUTE.httpStatus, http!.getResponse<Response>().statusCode);
        return answer;
      }),
    );
  }
}
