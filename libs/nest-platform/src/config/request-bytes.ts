import { REQUEST_LIMITS } from '@weft/contracts';
import { z } from 'zod';

/** What a payload may have at all, in bytes: no setting goes beyond. */
export const PAYLOAD_BYTES_LIMIT = 16 * 1024 * 1024;

/** A body has its request and a little around it: attributes of the event, names of fields. */
export const BODY_OVERHEAD_BYTES = 64 * 1024;

/** Size of a request over HTTP or gRPC, a setting of whoever takes it. */
export const requestBytesMax = z.coerce
  .number()
  .int()
  .min(1024)
  .max(PAYLOAD_BYTES_LIMIT)
  .default(REQUEST_LIMITS.bytesMax)
  .describe('Largest request that is taken over HTTP or gRPC, in bytes. Over Kafka the topic says, and 1 MiB at most.');
