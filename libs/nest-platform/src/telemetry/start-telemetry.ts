// Traces over OTLP/HTTP, for each service of the process under its own name.
import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider, type Sampler, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { NodeSDK } from '@opentelemetry/sdk-node';
import { ATTRIBUTE } from '@weft/telemetry';
import { createRequire } from 'node:module';

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
  readonly sdk: NodeSDK;
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
    const { processor, sampler } = running;
    tracer = new TracerProvider({ resource: resourceOf(service), sampler, spanProcessors: [processor] }).getTracer('weft');
    running.tracers.set(service, tracer);
  }
  return tracer;
}

/**
 * The SDK serves what libraries record through the global API; our own spans come from a provider for each service. It is
 * loaded only here: a process without telemetry does not pay its 60 MB.
 */
function run(exporter: SpanExporter, traceRatio: number): Running {
  const { NodeSDK: Sdk } = createRequire(import.meta.url)('@opentelemetry/sdk-node') as { NodeSDK: typeof NodeSDK };
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, maxQueueSize: 8_192 });
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(traceRatio) });
  const sdk = new Sdk({ resource: resourceOf('weft'), sampler, spanProcessors: [processor], autoDetectResources: false, instrumentations: [], metricReaders: [], logRecordProcessors: [] });
  sdk.start();
  return { sdk, processor, sampler, tracers: new Map() };
}

const resourceOf = (service: string): Resource => resourceFromAttributes({ [ATTRIBUTE.serviceName]: service, 'service.namespace': 'weft' });

function exporterFor(endpoint: string | undefined): SpanExporter | undefined {
  if (endpoint === undefined || endpoint === '') return undefined;
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
}
