import { z } from 'zod';
import type { DoorOptions } from './worker-door.js';

/** How workers get in. */
export const workerSettings = {
  WEFT_WORKERS_ADDRESS: z.string().default('127.0.0.1:7425').describe('Address that workers connect to over gRPC, host:port. Listened on only when the tools file has a source of kind `worker`.'),
  WEFT_WORKERS_CERT_FILE: z
    .string()
    .optional()
    .describe('Certificate of that address (PEM file), with WEFT_WORKERS_KEY_FILE. Without both it is in clear: for loopback and behind a proxy that ends TLS.'),
  WEFT_WORKERS_KEY_FILE: z.string().optional().describe('Private key of that address (PEM file).'),
  WEFT_WORKER_LEASE_MS: z.coerce.number().int().min(500).max(300_000).default(10_000).describe('Without a sign of life for this long a worker counts as gone, in milliseconds.'),
} as const;

export type WorkerSettings = Readonly<z.output<z.ZodObject<typeof workerSettings>>>;

/** Lease of workers where no setting says otherwise, milliseconds. */
export const LEASE_MS = 10_000;

/** Where the door is. Default: a free port of loopback. @throws Error when only one half of the TLS files is named. */
export function doorOf(settings: Partial<WorkerSettings>): DoorOptions {
  const { WEFT_WORKERS_ADDRESS: address = '127.0.0.1:0', WEFT_WORKERS_CERT_FILE: certFile, WEFT_WORKERS_KEY_FILE: keyFile } = settings;
  if ((certFile === undefined) !== (keyFile === undefined)) throw new Error('Expected WEFT_WORKERS_CERT_FILE and WEFT_WORKERS_KEY_FILE together but one of them is missing.');
  return { address, ...(certFile !== undefined && keyFile !== undefined ? { tls: { certFile, keyFile } } : {}) };
}
