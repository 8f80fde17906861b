// Spans that continue the trace of a wire context. No ambient context: what is traced is what the Context says.
import { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes, type Span, type Tracer } from '@opentelemetry/api';
import type { Context } from '@weft/contracts';
import { Refused, type Instant } from '@weft/kernel';
import { ATTRIBUTE } from './names.js';
import { formatTraceparent, isSampled, newTraceparent, parseTraceparent } from './trace-context.js';

export interface SpanOptions {
  /** Default `internal`. */
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Whose trace goes on. Tenant, execution and job become attributes. */
  readonly context: Context;
  readonly attributes?: Attributes;
  /** When it began, for spans that are recorded afterwards. Default: now. */
  readonly startAt?: Instant;
}

/** A span that the caller ends. `span` is missing when nothing is recorded. */
export interface OpenSpan {
  /** For everything done inside: its traceparent names this span. */
  readonly context: Context;
  readonly span?: Span;
  /** Ends it, as failed when an error is handed in. Ending again does nothing. */
  end(error?: unknown): void;
}

const KIND = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<NonNullable<SpanOptions['kind']>, SpanKind>;

const nothing = (): void => undefined;

/**
 * Runs something in a span that continues the trace of `context`; with an empty traceparent it begins a trace.
 * Without a tracer (telemetry is off), or when the trace is not sampled, no span is made and `run` gets the context as it is.
 * A thrown error ends the span as failed and is thrown on.
 * @param run gets the context for everything done inside, and the span for further attributes.
 */
export async function inSpan<T>(tracer: Tracer | undefined, name: string, options: SpanOptions, run: (context: Context, span?: Span) => Promise<T> | T): Promise<T> {
  const open = openSpan(tracer, name, options);
  try {
    const result = await run(open.context, open.span);
    open.end();
    return result;
  } catch (error) {
    open.end(error);
    throw error;
  }
}

/** As `inSpan`, for what answers with a stream. The span lasts until the stream ends or its reader leaves. */
export async function* streamInSpan<T>(tracer: Tracer | undefined, name: string, options: SpanOptions, run: (context: Context, span?: Span) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const open = openSpan(tracer, name, options);
  try {
    yield* run(open.context, open.span);
  } catch (error) {
    open.end(error);
    throw error;
  } finally {
    open.end();
  }
}

/** As `inSpan`, for callers that end the span themselves. */
export function openSpan(tracer: Tracer | undefined, name: string, options: SpanOptions): OpenSpan {
  const { context } = options;
  if (tracer === undefined || (context.traceparent !== '' && !isSampled(context.traceparent))) return { context, end: nothing };
  const span = tracer.startSpan(
    name,
    {
      kind: KIND[options.kind ?? 'internal'],
      attributes: { ...attributesOf(context), ...options.attributes },
      ...(options.startAt === undefined ? {} : { startTime: options.startAt }),
    },
    parentOf(context),
  );
  const inside = childContext(context, span);
  // A root that the sampler declined: its ids go on, so that a trace id exists, but nothing is recorded.
  if (!span.isRecording()) return { context: inside, end: nothing };
  let ended = false;
  return {
    context: inside,
    span,
    end: (error) => {
      if (ended) return;
      ended = true;
      if (error !== undefined) markFailed(span, error);
      span.end();
    },
  };
}

/** The context, in a new unsampled trace when it has none: for the door, where a trace id must exist whether spans are made or not. */
export function traced(context: Context): Context {
  return context.traceparent === '' ? { ...context, traceparent: newTraceparent(false) } : context;
}

/** The context with the span as the parent of what comes next. A span without valid ids leaves the context as it is. */
export function childContext(context: Context, span: Span): Context {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const traceparent = formatTraceparent({ traceId, spanId, sampled: (traceFlags & 1) === 1 });
  return parseTraceparent(traceparent) === undefined ? context : { ...context, traceparent };
}

function parentOf(context: Context): typeof ROOT_CONTEXT {
  const parent = parseTraceparent(context.traceparent);
  if (parent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? 1 : 0,
    isRemote: true,
    ...(context.tracestate === '' ? {} : { traceState: createTraceState(context.tracestate) }),
  });
}

function attributesOf(context: Context): Attributes {
  const attributes: Attributes = {};
  if (context.tenant !== '') attributes[ATTRIBUTE.tenant] = context.tenant;
  if (context.executionId !== '') attributes[ATTRIBUTE.execution] = context.executionId;
  if (context.jobId !== '') attributes[ATTRIBUTE.job] = context.jobId;
  if (context.attempt !== 0) attributes[ATTRIBUTE.attempt] = context.attempt;
  return attributes;
}

function markFailed(span: Span, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  // An expected refusal is told by its code; a stack would only be noise.
  if (error instanceof Refused) span.setAttribute(ATTRIBUTE.rejection, error.rejection.code);
  else span.recordException(error instanceof Error ? error : message);
}
