import { kafkaSettings, platformSettings } from '@weft/nest-platform';
import { z } from 'zod';

const originList = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  )
  .refine((origins) => origins.every((origin) => /^https?:\/\/[^/?#@]+$/.test(origin) && URL.canParse(origin)), { message: 'origins of the form scheme://host:port, separated by commas' });

/** What tools itself is set up by, in every profile. */
export const toolsSettings = {
  WEFT_TOOLS_FILE: z.string().optional().describe('Path of the tool declarations (YAML). Without it there are no tools.'),
  WEFT_GRANTS_FILE: z.string().optional().describe('Path of the grants (YAML). Without it nothing is granted: every job is denied.'),
  WEFT_TOOLS_CONCURRENCY: z.coerce.number().int().min(1).max(10_000).default(64).describe('Requests to tools, endpoints and models on their way at once.'),
  WEFT_MODEL_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000).describe('Time for one model candidate to answer, in milliseconds.'),
  WEFT_CALL_TIMEOUT_MS: z.coerce.number().int().min(10).max(600_000).default(10_000).describe('Time for a `call: http` to answer, in milliseconds.'),
  WEFT_EGRESS_ALLOW: originList
    .default([])
    .describe('Origins (scheme://host:port, separated by commas) that `call: http` may reach, and the only ones besides declared tools that may be plain http or private.'),
} as const;

/** The configuration of a tools process of the mesh. Secrets are read by name from WEFT_SECRET_NAME when they are needed. */
export const toolsConfig = z.object({
  ...platformSettings,
  ...toolsSettings,
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8084).describe('Port of health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on for HTTP.'),
  WEFT_GRPC_ADDRESS: z.string().default('127.0.0.1:9084').describe('Address to listen on for gRPC, host:port.'),
  WEFT_STORE_URL: z.string().describe('PostgreSQL: postgres://host:port/database. Tools logs in as its own engine role.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe("Password of tools' engine role."),
  WEFT_KAFKA: z.string().describe('Kafka brokers, host:port, separated by commas.'),
  ...kafkaSettings,
});

export type ToolsSettings = Readonly<z.output<z.ZodObject<typeof toolsSettings>>>;
