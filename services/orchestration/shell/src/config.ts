import { platformSettings } from '@weft/nest-platform';
import { z } from 'zod';

/** Settings of orchestration's rules. Where it listens and connects to is the process's business (`main.ts`, standalone). */
export const orchestrationSettings = {
  WEFT_SWEEP_MS: z.coerce.number().int().min(100).default(5_000).describe('Time between two sweeps for running executions that nobody works on, in milliseconds.'),
  WEFT_SWEEP_SILENT_MS: z.coerce.number().int().min(100).default(5_000).describe('Silence after which a sweep looks at a running execution, in milliseconds.'),
} as const;

export type OrchestrationConfig = Readonly<z.output<z.ZodObject<typeof orchestrationSettings>>>;

/** Settings of the process that runs orchestration by itself. */
export const orchestrationProcess = z.object({
  ...platformSettings,
  ...orchestrationSettings,
  WEFT_STORE_URL: z.string().describe('PostgreSQL, as postgres://user:password@host:5432/database. Services connect as their own roles.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe('Password of the service roles, when the server asks for one.'),
  WEFT_KAFKA: z.string().describe('Kafka brokers, as host:port separated by commas.'),
  WEFT_GRPC_LISTEN: z.string().default('127.0.0.1:7432').describe('Where the gRPC service listens, as host:port.'),
  WEFT_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(7_532).describe('Port of the health endpoints.'),
  WEFT_TOOLS: z.string().default('127.0.0.1:7433').describe('Address of the tools service.'),
  WEFT_MEMORY: z.string().default('127.0.0.1:7434').describe('Address of the memory service.'),
  WEFT_VALIDATION: z.string().default('127.0.0.1:7435').describe('Address of the validation service.'),
});
