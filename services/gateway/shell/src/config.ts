import { kafkaSettings, platformSettings, requestBytesMax, operatorsSetting, tenantList } from '@weft/nest-platform';
import { z } from 'zod';

/** What the gateway itself is set up by, in every profile. */
export const gatewaySettings = {
  WEFT_TENANTS: tenantList.describe('Tenants whose results are listened to, separated by commas; `default` always is.'),
  WEFT_AUDITORS: tenantList.describe('Tenants that may read the entries of the audit log, separated by commas; `default` always may.'),
  ...operatorsSetting,
  WEFT_REQUEST_BYTES_MAX: requestBytesMax,
  WEFT_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(60_000).describe('How often one API key may ask within a minute.'),
  WEFT_ACCEPTING_MAX: z.coerce.number().int().min(1).max(100_000).default(512).describe('Calls with a request that one gateway accepts at a time; more are refused as `overloaded`, unread.'),
  WEFT_WAITING_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe('Callers that may wait for a result at one gateway at a time. A chat beyond it is refused as `overloaded`; a request is accepted and answered without waiting.'),
  WEFT_MCP_FILE: z.string().optional().describe('Path of the tools that MCP clients see at /mcp (JSON). Without it they can only follow executions.'),
  WEFT_MCP_WAIT_MS: z.coerce.number().int().min(0).max(600_000).default(50_000).describe('How long a call over MCP waits for its execution before it is answered with a handle, in milliseconds.'),
  WEFT_MCP_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((one) => one.trim() || []))
    .describe('Origins of web pages (scheme://host:port, separated by commas) that may call /mcp besides those of this machine.'),
  WEFT_CHAT_WAIT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000).describe('How long a chat completion waits for its answer, in milliseconds.'),
} as const;

/** The configuration of a gateway process of the mesh. */
export const gatewayConfig = z.object({
  ...platformSettings,
  ...gatewaySettings,
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8080).describe('Port of the API, health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  WEFT_ROUTING: z.string().describe('gRPC address of routing, host:port.'),
  WEFT_ORCHESTRATION: z.string().describe('gRPC address of orchestration, host:port; of several replicas, IP addresses separated by commas, or one DNS name for all of them.'),
  WEFT_AUDIT: z.string().describe('gRPC address of audit, host:port.'),
  WEFT_TOOLS: z.string().describe('gRPC address of tools, host:port; of several replicas, IP addresses separated by commas, or one DNS name for all of them.'),
  WEFT_STORE_URL: z.string().describe('PostgreSQL: postgres://host:port/database. The gateway logs in as its own role.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe("Password of the gateway's role."),
  WEFT_KAFKA: z.string().describe('Kafka brokers, host:port, separated by commas.'),
  ...kafkaSettings,
  WEFT_REDIS: z.string().optional().describe('Redis, host:port: limits then count over all gateways. Without it each gateway counts for itself.'),
});

export type GatewaySettings = Readonly<z.output<z.ZodObject<typeof gatewaySettings>>>;
