import { kafkaSettings, PAYLOAD_BYTES_LIMIT, platformSettings, runSettings } from '@weft/nest-platform';
import { RETRIES_WITHOUT_LIMIT } from '@weft/orchestration/core';
import { z } from 'zod';

/** What orchestration itself is set up by, in every profile. */
export const orchestrationSettings = {
  WEFT_PAYLOAD_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(256 * 1024)
    .max(PAYLOAD_BYTES_LIMIT)
    .default(PAYLOAD_BYTES_LIMIT)
    .describe('Largest input or output of a job, in bytes. A job beyond it fails with payload-too-large, which the workflow may catch.'),
  WEFT_PAYLOAD_DAYS: z.coerce.number().int().min(1).default(8).describe('Days that a payload above 256 KiB is kept after a message last referred to it. Longer than the bus keeps messages.'),
  WEFT_RETRIES_MAX: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(RETRIES_WITHOUT_LIMIT)
    .describe('How often a `try` is retried whose policy has no `limit.attempt.count`. It counts for what is decided from now on, also in executions that run.'),
  WEFT_LIFECYCLE: z.enum(['workflow', 'tasks']).default('workflow').describe('Which lifecycle events are published: those of workflows, or those of tasks too. Each task then costs three messages.'),
  WEFT_LIFECYCLE_PROFILE: z
    .enum(['1.0.3', 'main'])
    .default('1.0.3')
    .describe('Form of the data of lifecycle events: 1.0.3 has the output of a workflow in it, up to 60 KiB; main always a reference to it (outputUri).'),
  WEFT_SWEEP_MS: z.coerce.number().int().min(100).default(30_000).describe('Time between two sweeps for running executions that nobody works on, in milliseconds.'),
  WEFT_SWEEP_SILENT_MS: z.coerce.number().int().min(100).default(5_000).describe('Silence after which a sweep looks at a running execution, in milliseconds.'),
  WEFT_SCHEDULE_CATCH_UP: z
    .enum(['one', 'all', 'none'])
    .default('one')
    .describe('What becomes of times of a schedule that went by while nothing ran: one execution for all of them, one for each, or none.'),
  ...runSettings,
} as const;

/** What a replica among others is set up by. */
export const replicaSettings = {
  WEFT_REPLICA_TTL_MS: z.coerce
    .number()
    .int()
    .min(600)
    .default(3_000)
    .describe('Silence after which the other replicas of orchestration take over what one had begun, in milliseconds. Each says six times as often that it is there.'),
} as const;

export type OrchestrationSettings = Readonly<z.output<z.ZodObject<typeof orchestrationSettings>>>;

/** The configuration of an orchestration process of the mesh. */
export const orchestrationConfig = z.object({
  ...platformSettings,
  ...orchestrationSettings,
  ...replicaSettings,
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8082).describe('Port of health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on for HTTP.'),
  WEFT_GRPC_ADDRESS: z.string().default('127.0.0.1:9082').describe('Address to listen on for gRPC, host:port.'),
  WEFT_TOOLS: z.string().describe('gRPC address of tools, host:port.'),
  WEFT_MEMORY: z.string().describe('gRPC address of memory, host:port.'),
  WEFT_VALIDATION: z.string().describe('gRPC address of validation, host:port.'),
  WEFT_STORE_URL: z.string().describe('PostgreSQL: postgres://host:port/database. Orchestration logs in as its own two roles.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe("Password of orchestration's two roles."),
  WEFT_KAFKA: z.string().describe('Kafka brokers, host:port, separated by commas.'),
  ...kafkaSettings,
});
