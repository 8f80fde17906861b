import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeConfig } from './describe-config.js';
import { ConfigInvalid, loadConfig } from './load-config.js';
import { tenantList } from './tenant-list.js';

const schema = z.object({ WEFT_TENANTS: tenantList.describe('Tenants that are served.') });
const tenantsOf = (WEFT_TENANTS: string | undefined): readonly string[] => loadConfig(schema, { WEFT_TENANTS }).WEFT_TENANTS;

describe('tenantList', () => {
  it.each([
    [undefined, ['default']],
    ['', ['default']],
    ['acme', ['default', 'acme']],
    [' acme , b-2,,acme,default', ['default', 'acme', 'b-2']],
  ])('reads %j', (text, expected) => {
    expect(tenantsOf(text)).toEqual(expected);
  });

  it.each(['Acme', 'a_b', 'acme;b', 'dead'])('refuses %j with what was expected', (text) => {
    expect(() => tenantsOf(text)).toThrow(ConfigInvalid);
    expect(() => tenantsOf(text)).toThrow(/WEFT_TENANTS: expected tenant names of a-z, 0-9 and "-", separated by commas but got/);
  });

  it('is described as text with its default', () => {
    expect(describeConfig(schema)).toMatchObject([{ name: 'WEFT_TENANTS', type: 'text', default: '["default"]', required: false, description: 'Tenants that are served.' }]);
  });
});
