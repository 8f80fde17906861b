import { DEFAULT_TENANT } from '@weft/contracts';
import { isTenantId } from '@weft/kernel';
import { z } from 'zod';

/** A setting that lists tenants, separated by commas: each once, the default tenant always among them and first. Not set: the default tenant alone. */
export const tenantList = z
  .string()
  .transform((text) => [
    ...new Set([
      DEFAULT_TENANT,
      ...text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ]),
  ])
  .refine((tenants): boolean => tenants.every(isTenantId), { message: 'tenant names of a-z, 0-9 and "-", separated by commas' })
  .default([DEFAULT_TENANT]);
