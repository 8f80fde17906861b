import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeConfig, envExample } from './describe-config.js';
import { ConfigInvalid, loadConfig, type Environment } from './load-config.js';

const schema = z
  .object({
    WEFT_PORT: z.coerce.number().int().min(1).max(65_535).default(8080).describe('Port of the HTTP listener.'),
    WEFT_DATABASE_URL: z.url().describe('Where PostgreSQL is.'),
    WEFT_API_KEY: z.string().min(16).optional().describe('Key of the model provider.'),
    WEFT_PROFILE: z.enum(['standalone', 'mesh']).default('standalone').describe('How Weft is composed.'),
    WEFT_SWEEP: z.stringbool().default(true).describe('Whether jobs without progress are looked for.'),
    WEFT_LEASE_MS: z.coerce.number().int().positive().default(30_000).describe('Lease of a claim, in milliseconds.'),
    WEFT_HEARTBEAT_MS: z.coerce.number().int().positive().default(5_000).describe('Heartbeat, in milliseconds.'),
  })
  .refine((config) => config.WEFT_LEASE_MS > config.WEFT_HEARTBEAT_MS * 2, { path: ['WEFT_LEASE_MS'], message: 'more than twice WEFT_HEARTBEAT_MS' });

const good = { WEFT_DATABASE_URL: 'postgres://localhost/weft' };

function faultsOf(env: Environment): ConfigInvalid {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error;
    throw error;
  }
  return expect.unreachable('the configuration should be refused');
}

describe('loadConfig', () => {
  it('parses values, fills defaults in and freezes the result', () => {
    const config = loadConfig(schema, { ...good, WEFT_PORT: '9000', WEFT_SWEEP: 'false', PATH: '/bin' });
    expect(config).toEqual({ WEFT_PORT: 9000, WEFT_DATABASE_URL: good.WEFT_DATABASE_URL, WEFT_PROFILE: 'standalone', WEFT_SWEEP: false, WEFT_LEASE_MS: 30_000, WEFT_HEARTBEAT_MS: 5_000 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reports all faults together, each with what was expected, what came and its meaning', () => {
    const { faults, message } = faultsOf({ WEFT_PORT: '99999', WEFT_PROFILE: 'cloud', WEFT_SWEEP: 'perhaps', WEFT_HEARTBEAT_MS: 'soon' });
    expect(faults.map(({ variable }) => variable)).toEqual(['WEFT_PORT', 'WEFT_DATABASE_URL', 'WEFT_PROFILE', 'WEFT_SWEEP', 'WEFT_HEARTBEAT_MS']);
    expect(message.split('\n')).toEqual([
      'The configuration has 5 faults:',
      '  WEFT_PORT: expected a number of at most 65535 but got "99999". Meaning: Port of the HTTP listener.',
      '  WEFT_DATABASE_URL: expected a string but it is not set. Meaning: Where PostgreSQL is.',
      '  WEFT_PROFILE: expected one of standalone, mesh but got "cloud". Meaning: How Weft is composed.',
      '  WEFT_SWEEP: expected one of true, 1, yes, on, y, enabled, false, 0, no, off, n, disabled but got "perhaps". Meaning: Whether jobs without progress are looked for.',
      '  WEFT_HEARTBEAT_MS: expected a number but got "soon". Meaning: Heartbeat, in milliseconds.',
    ]);
  });

  it('judges relations between variables', () => {
    expect(faultsOf({ ...good, WEFT_LEASE_MS: '6000' }).message).toContain('WEFT_LEASE_MS: expected more than twice WEFT_HEARTBEAT_MS but got "6000"');
  });

  it('takes an empty variable as not set', () => {
    expect(loadConfig(schema, { ...good, WEFT_PORT: '', WEFT_API_KEY: '' }).WEFT_PORT).toBe(8080);
  });

  it('never shows the value of a secret', () => {
    const { message } = faultsOf({ ...good, WEFT_API_KEY: 'hunter2' });
    expect(message).toContain('WEFT_API_KEY: expected at least 16 characters');
    expect(message).not.toContain('hunter2');
  });

  it('points out a name that is nearly a setting, and leaves other names alone', () => {
    expect(faultsOf({ ...good, WEFT_PROT: '9000' }).message).toContain('WEFT_PROT: expected the name of a setting, such as WEFT_PORT');
    expect(() => loadConfig(schema, { ...good, WEFT_SOMETHING_ELSE: '1' })).not.toThrow();
  });
});

describe('describeConfig', () => {
  it('gives name, type, default and description of every setting', () => {
    expect(describeConfig(schema).map(({ name, type, default: byDefault, required, secret }) => [name, type, byDefault, required, secret])).toEqual([
      ['WEFT_PORT', 'number', '8080', false, false],
      ['WEFT_DATABASE_URL', 'text', undefined, true, false],
      ['WEFT_API_KEY', 'text', undefined, false, true],
      ['WEFT_PROFILE', 'standalone | mesh', 'standalone', false, false],
      ['WEFT_SWEEP', 'true or false', 'true', false, false],
      ['WEFT_LEASE_MS', 'number', '30000', false, false],
      ['WEFT_HEARTBEAT_MS', 'number', '5000', false, false],
    ]);
  });

  it('writes an example in which only required settings stand uncommented', () => {
    const example = envExample(describeConfig(schema));
    expect(example).toContain('# Port of the HTTP listener. (number, default 8080)\n# WEFT_PORT=8080\n');
    expect(example.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual(['WEFT_DATABASE_URL=']);
  });
});
