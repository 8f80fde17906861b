import { kafkaSettings, platformSettings } from '@weft/nest-platform';
import { isKeyName } from '@weft/tlog';
import { z } from 'zod';

const SERVICES = ['orchestration', 'tools', 'routing', 'memory', 'validation'];

const serviceList = z
  .string()
  .transform((text) => [
    ...new Set(
      text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ])
  .refine((names): boolean => names.length > 0 && names.every((name) => /^[a-z][a-z0-9_]*$/.test(name)), { message: 'names of services (a-z, 0-9, "_"), separated by commas' });

/** Settings of audit's rules. Where it listens and connects to is the process's business (`main.ts`, standalone). */
export const auditSettings = {
  WEFT_HOME: z.string().default('.weft').describe('Folder of what this installation keeps on disk; the signing key is made in audit/signer.key below it.'),
  WEFT_AUDIT_ORIGIN: z
    .string()
    .default('weft.local/audit')
    .refine(isKeyName, { message: 'a name without white space and "+"' })
    .describe('Unique name of the log, as its checkpoints carry it. It never changes in the life of a log.'),
  WEFT_AUDIT_KEY: z.string().optional().describe('Signing key of the log, PRIVATE+KEY+<name>+<hash>+<base64>. Without it the key in WEFT_HOME is used, and made when it is missing.'),
  WEFT_AUDIT_SERVICES: serviceList.default(SERVICES).describe('Services whose commit rows go into the log, separated by commas.'),
  WEFT_AUDIT_INTERVAL_MS: z.coerce.number().int().min(10).default(200).describe('Pause between two looks for new commit rows, in milliseconds; none while there is a backlog.'),
} as const;

export type AuditConfig = Readonly<z.output<z.ZodObject<typeof auditSettings>>>;

/** Settings of the process that runs audit by itself. */
export const auditProcess = z.object({
  ...platformSettings,
  ...auditSettings,
  WEFT_STORE_URL: z.string().describe('PostgreSQL, as postgres://user:password@host:5432/database. Services connect as their own roles.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe('Password of the service roles, when the server asks for one.'),
  WEFT_KAFKA: z.string().describe('Kafka brokers, as host:port separated by commas.'),
  ...kafkaSettings,
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8087).describe('Port of health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on for HTTP.'),
  WEFT_GRPC_ADDRESS: z.string().default('127.0.0.1:9087').describe('Address to listen on for gRPC, host:port.'),
});
