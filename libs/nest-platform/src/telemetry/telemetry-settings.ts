import { readCrash } from '@weft/pipeline';
import { z } from 'zod';

/** Settings that every service shares. Spread them into the shell's schema: `z.object({ ...platformSettings, ... })`. */
export const platformSettings = {
  WEFT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'fatal']).default('info').describe('Log lines below this level are not written.'),
  WEFT_OTLP_ENDPOINT: z.url().optional().describe('Base address of an OpenTelemetry collector (OTLP/HTTP). Without it no spans are made.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional().describe('The standard name for the same; WEFT_OTLP_ENDPOINT goes first.'),
  WEFT_TRACE_RATIO: z.coerce.number().min(0).max(1).default(1).describe('Share of new traces that are recorded. Traces that come in keep their own decision.'),
  WEFT_DRAIN_GRACE_MS: z.coerce.number().int().min(0).max(20_000).default(0).describe('How long a service that shuts down still takes work after it has said that it is not ready, in milliseconds.'),
  WEFT_FAILPOINT: z
    .string()
    .refine((text) => readCrash(text).ok, 'NAME:before or NAME:after of a failpoint that exists, optionally with :N')
    .optional()
    .describe('Tests of crashes only: NAME:before or NAME:after, optionally with :N, lets the process kill itself when it comes there for the n-th time.'),
} as const;

/** The parsed form of `platformSettings`. */
export type PlatformConfig = Readonly<z.output<z.ZodObject<typeof platformSettings>>>;
