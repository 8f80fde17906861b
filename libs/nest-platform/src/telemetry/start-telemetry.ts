// Traces over OTLP/HTTP, for each service of the process under its own name.
import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider, type Sampler, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTRIBUTE } from '@weft/telemetry';

export interface TelemetryOptions {
  /** Where spans go: the collector's base address, such as http://localhost:4318. Without it nothing is started. */
  readonly otlpEndpoint?: string | undefined;
  /** Share of new traces that are recorded, 0 to 1. Traces that come in sampled or not stay so. Default 1. */
  readonly traceRatio?: number | undefined;
  /** Instead of OTLP/HTTP, for tests and `demo`. */
  readonly exporter?: SpanExporter | undefined;
}

/** Telemetry that was started. */
export interface Telemetry {
  readonly enabled: boolean;
  /** Sends what is waiting. Resolves also when the collector is away. */
  flush(): Promise<void>;
  /** Flushes and stops. */
  close(): Promise<void>;
}

interface Running {
  readonly processor: SpanProcessor;
  readonly sampler: Sampler;
  readonly tracers: Map<string, Tracer>;
}

let running: Running | undefined;

/**
 * Starts tracing for the process when there is somewhere to send spans to; otherwise nothing is started.
 * Starting again while it runs is the same telemetry: standalone and its services may all ask.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const exporter = options.exporter ?? exporterFor(options.otlpEndpoint);
  if (exporter === undefined) return { enabled: false, flush: async () => undefined, close: async () => undefined };
  running ??= {
    processor: new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, maxQueueSize: 8_192 }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.traceRatio ?? 1) }),
    tracers: new Map(),
  };
  const started = running;
  return {
    enabled: true,
    flush: () => started.processor.forceFlush().catch(() => undefined),
    close: async () => {
      if (running === started) running = undefined;
      await started.processor.shutdown().catch(() => undefined);
    },
  };
}

/**
 * The tracer of a service, or undefined while telemetry is off: hand it to `inSpan` as it is. Each service has a provider
 * of its own, because collectors show the resource's `service.name`; all share one exporter.
 */
export function tracerFor(service: string): Tracer | undefined {
  if (running === undefined) return undefined;
  let tracer = running.tracers.get(service);
  if (tracer === undefined) {
    const { processor, sampler } = running;
    const resource = resourceFromAttributes({ [ATTRIBUTE.serviceName]: service, 'service.namespace': 'weft' });
    tracer = new TracerProvider({ resource, sampler, spanProcessors: [processor] }).getTracer('weft');
    running.tracers.set(service, tracer);
  }
  return tracer;
}

function exporterFor(endpoint: string | undefined): SpanExporter | undefined {
  if (endpoint === undefined || endpoint === '') return undefined;
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
}
