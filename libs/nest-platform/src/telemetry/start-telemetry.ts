// Traces over OTLP/HTTP, for each service of the process under its own name.
import type { Tracer } from '@opentelemetry/api';
import type * as otlp from '@opentelemetry/exporter-trace-otlp-http';
import type * as resources from '@opentelemetry/resources';
import type * as sdkNode from '@opentelemetry/sdk-node';
import type * as sdkTrace from '@opentelemetry/sdk-trace';
import { ATTRIBUTE } from '@weft/telemetry';
import { createRequire } from 'node:module';

export interface TelemetryOptions {
  /** Where spans go: the collector's base address, such as http://localhost:4318. Without it nothing is started. */
  readonly otlpEndpoint?: string | undefined;
  /** Share of new traces that are recorded, 0 to 1. Traces that come in sampled or not stay so. Default 1. */
  readonly traceRatio?: number | undefined;
  /** Instead of OTLP/HTTP, for tests and `demo`. */
  readonly exporter?: sdkTrace.SpanExporter | undefined;
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
  readonly sdk: sdkNode.NodeSDK;
  readonly processor: sdkTrace.SpanProcessor;
  readonly newTracer: (service: string) => Tracer;
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
  running ??= run(exporter, options.traceRatio ?? 1);
  const started = running;
  return {
    enabled: true,
    flush: () => started.processor.forceFlush().catch(() => undefined),
    close: async () => {
      if (running === started) running = undefined;
      await started.sdk.shutdown().catch(() => undefined);
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
    tracer = running.newTracer(service);
    running.tracers.set(service, tracer);
  }
  return tracer;
}

// Loaded only when there is somewhere to send spans to: a process without telemetry pays neither the memory nor the time of it.
const load = createRequire(import.meta.url);

/** The SDK serves what libraries record through the global API; our own spans come from a provider for each service. */
function run(exporter: sdkTrace.SpanExporter, traceRatio: number): Running {
  const { NodeSDK } = load('@opentelemetry/sdk-node') as typeof sdkNode;
  const { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } = load('@opentelemetry/sdk-trace') as typeof sdkTrace;
  const { resourceFromAttributes } = load('@opentelemetry/resources') as typeof resources;
  const resourceOf = (service: string): resources.Resource => resourceFromAttributes({ [ATTRIBUTE.serviceName]: service, 'service.namespace': 'weft' });
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, maxQueueSize: 8_192 });
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(traceRatio) });
  const sdk = new NodeSDK({ resource: resourceOf('weft'), sampler, spanProcessors: [processor], autoDetectResources: false, instrumentations: [], metricReaders: [], logRecordProcessors: [] });
  sdk.start();
  const newTracer = (service: string): Tracer => new TracerProvider({ resource: resourceOf(service), sampler, spanProcessors: [processor] }).getTracer('weft');
  return { sdk, processor, newTracer, tracers: new Map() };
}

function exporterFor(endpoint: string | undefined): sdkTrace.SpanExporter | undefined {
  if (endpoint === undefined || endpoint === '') return undefined;
  const { OTLPTraceExporter } = load('@opentelemetry/exporter-trace-otlp-http') as typeof otlp;
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
}
