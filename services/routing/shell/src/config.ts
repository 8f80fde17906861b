import { kafkaSettings, platformSettings, requestBytesMax, tenantList } from '@weft/nest-platform';
import { z } from 'zod';

/** What routing itself is set up by, in every profile. */
export const routingSettings = {
  WEFT_ROUTES_FILE: z.string().optional().describe('Path of the route table (YAML). Without it every request is refused.'),
  WEFT_TENANTS: tenantList.describe('Tenants that have a requests topic of their own, separated by commas; `default` always has one.'),
  WEFT_REQUEST_BYTES_MAX: requestBytesMax,
  WEFT_BACKLOG_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_000)
    .describe('Accepted requests whose execution has not begun, of all replicas: beyond it callers are refused as `overloaded`, and beyond a quarter more the requests topics are read no further.'),
  WEFT_REDELIVER_FIRST_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(5_000)
    .describe('An execution that did not begin within this time is started again, in milliseconds; each further pause is twice as long.'),
  WEFT_REDELIVER_MAX_MS: z.coerce.number().int().min(100).default(300_000).describe('The longest pause between two deliveries of a start, in milliseconds.'),
  WEFT_REDELIVER_POLL_MS: z.coerce.number().int().min(50).default(1_000).describe('Pause between two looks for starts to deliver again, in milliseconds.'),
} as const;

/** The configuration of a routing process of the mesh. */
export const routingConfig = z
  .object({
    ...platformSettings,
    ...routingSettings,
    WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8081).describe('Port of health and readiness.'),
    WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on for HTTP.'),
    WEFT_GRPC_ADDRESS: z.string().default('127.0.0.1:9081').describe('Address to listen on for gRPC, host:port.'),
    WEFT_ORCHESTRATION: z.string().describe('gRPC address of orchestration, host:port; of several replicas, IP addresses separated by commas, or one DNS name for all of them.'),
    WEFT_STORE_URL: z.string().describe('PostgreSQL: postgres://host:port/database. Routing logs in as its own two roles.'),
    WEFT_STORE_PASSWORD: z.string().optional().describe("Password of routing's two roles."),
    WEFT_KAFKA: z.string().describe('Kafka brokers, host:port, separated by commas.'),
    ...kafkaSettings,
  })
  .refine((config) => config.WEFT_REDELIVER_MAX_MS >= config.WEFT_REDELIVER_FIRST_MS, { message: 'at least WEFT_REDELIVER_FIRST_MS', path: ['WEFT_REDELIVER_MAX_MS'] });

export type RoutingSettings = Readonly<z.output<z.ZodObject<typeof routingSettings>>>;
