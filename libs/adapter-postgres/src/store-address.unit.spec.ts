import { Refused } from '@weft/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStoreUrl, storeUrl } from './store-address.js';

describe('parseStoreUrl', () => {
  it('reads host, port, database, user and password', () => {
    expect(parseStoreUrl('postgres://ann:p%40ss@db.example:6432/weft')).toEqual({ host: 'db.example', port: 6432, database: 'weft', user: 'ann', password: 'p@ss' });
  });

  it('fills in port and user, and takes the folder of a socket', () => {
    expect(parseStoreUrl('postgresql://localhost/weft?host=/run/pg')).toEqual({ host: '/run/pg', port: 5432, database: 'weft', user: 'postgres' });
  });

  it.each([
    'nonsense',
    'mysql://h/d',
    'postgres://h',
    'postgres://h/',
    'postgres://h:0/d',
    'postgres://%zz@h/d',
    'postgres:///d',
    'postgres://h/a/b',
    'postgres://h/d?sslmode=prefer',
    'postgres://h/d?sslmod=require',
  ])('refuses %s with a sentence', (text) => {
    expect(() => parseStoreUrl(text)).toThrow(/^Expected a store address of the form/);
  });

  it('never repeats a password', () => {
    try {
      parseStoreUrl('mysql://ann:topsecret@h/d');
      expect.unreachable();
    } catch (fault) {
      expect(fault).toBeInstanceOf(Refused);
      expect(JSON.stringify((fault as Refused).rejection)).not.toContain('topsecret');
    }
  });

  it('reads how the connection is encrypted', () => {
    expect(parseStoreUrl('postgres://h/d?sslmode=verify-full&sslrootcert=/etc/ca.pem')).toMatchObject({ sslMode: 'verify-full', sslRootCert: '/etc/ca.pem' });
    expect(parseStoreUrl('postgres://h/d?sslmode=disable')).not.toHaveProperty('sslMode');
  });

  it('reads what storeUrl wrote', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[\0/]/.test(text) && text.isWellFormed() && text !== '.' && text !== '..');
    const host = fc.oneof(
      fc.constantFrom('localhost', 'db.example', '10.0.0.1', '::1'),
      name.map((folder) => `/run/${folder}`),
    );
    fc.assert(
      fc.property(
        host,
        fc.integer({ min: 1, max: 65_535 }),
        name,
        name,
        fc.option(name, { nil: undefined }),
        fc.constantFrom({}, { sslMode: 'require' as const }, { sslMode: 'verify-full' as const, sslRootCert: '/a b' }),
        (h, port, database, user, password, ssl) => {
          const address = { host: h, port, database, user, ...(password === undefined ? {} : { password }), ...ssl };
          expect(parseStoreUrl(storeUrl(address))).toEqual(address);
        },
      ),
    );
  });
});
