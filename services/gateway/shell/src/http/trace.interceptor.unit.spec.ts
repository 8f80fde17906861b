import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { contextOf, type Context } from '@weft/contracts';
import { parseTraceparent } from '@weft/telemetry';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { TraceInterceptor } from './trace.interceptor.js';

async function contextInside(context: Context): Promise<Context> {
  const request = { context, method: 'POST', path: '/v1/requests' };
  const execution = { getType: () => 'http', switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({ statusCode: 202 }) }) };
  await lastValueFrom(new TraceInterceptor().intercept(execution as unknown as ExecutionContext, { handle: () => of('done') } as CallHandler) as Observable<unknown>);
  return request.context;
}

describe('TraceInterceptor without telemetry', () => {
  it('gives a request that came without a trace one that is not recorded', async () => {
    expect(parseTraceparent((await contextInside(contextOf({ tenant: 'default' }))).traceparent)).toMatchObject({ sampled: false });
  });

  it("goes on with the caller's trace as it is", async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect((await contextInside(contextOf({ tenant: 'default', traceparent }))).traceparent).toBe(traceparent);
  });
});
