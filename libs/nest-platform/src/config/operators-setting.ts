import { tenantList } from './tenant-list.js';

/** Who decides for the whole deployment: a setting of every service that takes such decisions. */
export const operatorsSetting = {
  WEFT_OPERATORS: tenantList.describe(
    'Tenants, separated by commas, whose keys may decide what holds for the whole deployment or for other tenants: which tools are accepted, what is stopped and revived. `default` always may.',
  ),
} as const;
