import { auditSettings } from '@weft/audit/shell';
import { gatewaySettings } from '@weft/gateway/shell';
import { memorySettings } from '@weft/memory/shell';
import { platformSettings } from '@weft/nest-platform';
import { orchestrationSettings } from '@weft/orchestration/shell';
import { routingSettings } from '@weft/routing/shell';
import { toolsSettings } from '@weft/tools/shell';
import { z } from 'zod';

/** The configuration of the one process that is all of Weft. */
export const standaloneConfig = z.object({
  ...platformSettings,
  ...gatewaySettings,
  ...routingSettings,
  ...orchestrationSettings,
  ...toolsSettings,
  ...memorySettings,
  ...auditSettings,
  WEFT_HOME: z.string().describe('Folder of everything Weft writes: the embedded store, the audit key, run files.'),
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(7_420).describe('Port of the API, health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  WEFT_STORE_URL: z.string().optional().describe('PostgreSQL to use instead of the embedded one: postgres://user:password@host:5432/database, as a user who may create roles.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe('Password of the service roles, when the server asks for one.'),
  WEFT_ANSWERS_FILE: z.string().optional().describe('Path of answers (YAML) that calls get instead of being made. For `weft run --fake` alone.'),
  WEFT_SKIP_TIME: z.stringbool().default(false).describe('Whether the clock goes on to the next timer when nothing else is outstanding. For `weft run --skip-time` alone.'),
  WEFT_DEFINITIONS: z.string().optional().describe('Folder of definitions that are deployed for the default tenant at start.'),
  WEFT_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(36_500)
    .default(0)
    .describe('Days that executions are kept after their end; `weft archive run` archives older ones and removes them. 0 keeps them for ever.'),
  WEFT_STORE_WAIT_MS: z.coerce.number().int().min(0).default(10_000).describe('How long to wait for another process that uses the same store, in milliseconds.'),
});

export type StandaloneConfig = Readonly<z.output<typeof standaloneConfig>>;
