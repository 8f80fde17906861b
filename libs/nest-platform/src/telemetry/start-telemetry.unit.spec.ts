import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { contextOf } from '@weft/contracts';
import { Refused, rejection } from '@weft/kernel';
import { inSpan, isSampled, newTraceparent, parseTraceparent, streamInSpan } from '@weft/telemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { startTelemetry, tracerFor, type Telemetry } from './start-telemetry.js';

let telemetry: Telemetry | undefined;
let exporter: InMemorySpanExporter;
const start = (traceRatio = 1): void => {
  exporter = new InMemorySpanExporter();
  telemetry = startTelemetry({ exporter, traceRatio });
};
const spans = async () => {
  await telemetry?.flush();
  return exporter.getFinishedSpans();
};

afterEach(async () => {
  await telemetry?.close();
  telemetry = undefined;
});

describe('telemetry that is off', () => {
  it('starts nothing, has no tracers and hands the context on as it is', async () => {
    expect(startTelemetry({}).enabled).toBe(false);
    expect(tracerFor('routing')).toBeUndefined();
    const context = contextOf({ tenant: 'acme', traceparent: newTraceparent(true) });
    expect(await inSpan(tracerFor('routing'), 'x', { context }, (inside, span) => [inside === context, span])).toEqual([true, undefined]);
  });
});

describe('telemetry that is on', () => {
  it('gives each service of one process its own name, in one trace', async () => {
    start();
    await inSpan(tracerFor('gateway'), 'request', { kind: 'server', context: contextOf({ tenant: 'acme' }) }, (outer) => inSpan(tracerFor('routing'), 'select', { context: outer }, () => undefined));
    const [inner, outer] = await spans();
    expect([outer?.resource.attributes['service.name'], inner?.resource.attributes['service.name']]).toEqual(['gateway', 'routing']);
    expect(inner?.spanContext().traceId).toBe(outer?.spanContext().traceId);
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(inner?.attributes).toMatchObject({ 'weft.tenant': 'acme' });
  });

  it('continues a trace that came in', async () => {
    start(0);
    const traceparent = newTraceparent(true);
    await inSpan(tracerFor('tools'), 'job', { context: contextOf({ tenant: 'acme', traceparent, tracestate: 'vendor=1' }) }, () => undefined);
    const [span] = await spans();
    expect(span?.parentSpanContext).toMatchObject({ traceId: parseTraceparent(traceparent)?.traceId, spanId: parseTraceparent(traceparent)?.spanId });
    expect(span?.spanContext().traceState?.get('vendor')).toBe('1');
  });

  it('makes no span for a trace that is not sampled', async () => {
    start();
    const context = contextOf({ tenant: 'acme', traceparent: newTraceparent(false) });
    expect(await inSpan(tracerFor('tools'), 'job', { context }, (inside) => inside)).toBe(context);
    expect(await spans()).toEqual([]);
  });

  it('gives a new trace that the ratio leaves out an id all the same', async () => {
    start(0);
    const inside = await inSpan(tracerFor('gateway'), 'request', { context: contextOf({ tenant: 'acme' }) }, (context) => context);
    expect(parseTraceparent(inside.traceparent)).toBeDefined();
    expect(isSampled(inside.traceparent)).toBe(false);
    expect(await spans()).toEqual([]);
  });

  it('marks a span as failed: a refusal by its code, anything else with the exception', async () => {
    start();
    const options = { context: contextOf({ tenant: 'acme' }) };
    await expect(inSpan(tracerFor('tools'), 'a', options, () => Promise.reject(new Refused(rejection('denied', 'Expected a grant but there is none.'))))).rejects.toThrow(Refused);
    await expect(inSpan(tracerFor('tools'), 'b', options, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const [refused, failed] = await spans();
    expect([refused?.status.code, refused?.attributes['weft.rejection.code'], refused?.events]).toEqual([2, 'denied', []]);
    expect([failed?.status, failed?.events[0]?.name]).toEqual([{ code: 2, message: 'boom' }, 'exception']);
  });

  it('ends the span of a stream when its reader leaves', async () => {
    start();
    const endless = async function* () {
      for (;;) yield 1;
    };
    for await (const _one of streamInSpan(tracerFor('tools'), 's', { context: contextOf({ tenant: 'acme' }) }, endless)) break;
    expect((await spans()).map(({ name }) => name)).toEqual(['s']);
  });
});
