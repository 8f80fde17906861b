import { platformSettings } from '@weft/nest-platform';
import { z } from 'zod';

/** What memory itself is set up by, in every profile. */
export const memorySettings = {
  WEFT_PRIVATE_SCOPES: z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((scope) => scope.trim())
        .filter((scope) => scope !== ''),
    )
    .default([])
    .describe('Scopes of memory, separated by commas, whose items are private data: who recalls one has seen some. `*` stands for any text.'),
} as const;

/** The configuration of a memory process of the mesh. */
export const memoryConfig = z.object({
  ...platformSettings,
  ...memorySettings,
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8085).describe('Port of health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on for HTTP.'),
  WEFT_GRPC_ADDRESS: z.string().default('127.0.0.1:9085').describe('Address to listen on for gRPC, host:port.'),
  WEFT_STORE_URL: z.string().describe('PostgreSQL: postgres://host:port/database. Memory logs in as its own engine role.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe("Password of memory's engine role."),
});
