import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketOf, derivedUuid, executionId, hash32, isTenantId, isUuid, tenantId, uuidv7 } from './ids.js';

const instants = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe('derivedUuid', () => {
  it('is the same for the same instant and name, and always a UUIDv7', () => {
    fc.assert(
      fc.property(instants, fc.string(), (now, name) => {
        expect(derivedUuid(now, name)).toBe(derivedUuid(now, name));
        expect(derivedUuid(now, name)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });

  it('keeps names apart that differ in one place', () => {
    const parents = ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f', '017f22e2-79b0-7cc3-98c4-dc0c0c073990'];
    const names = parents.flatMap((parent) => Array.from({ length: 100_000 }, (_, item) => `${parent}/do/0/each[${item}]/0`));
    expect(new Set(names.map((name) => derivedUuid(1, name))).size).toBe(names.length);
    // Every byte that is free takes every value.
    const bytesSeen = names.slice(0, 5_000).map((name) => derivedUuid(1, name).slice(-12));
    for (let at = 0; at < 12; at += 2) expect(new Set(bytesSeen.map((text) => text.slice(at, at + 2))).size).toBe(256);
  });
});

describe('uuidv7', () => {
  it('gives the example of RFC 9562', () => {
    const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    expect(uuidv7(1_645_557_742_000, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('always has the form of a UUID of version 7 and variant 10', () => {
    fc.assert(
      fc.property(instants, bytes, (now, random) => {
        const id = uuidv7(now, random);
        expect(isUuid(id)).toBe(true);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
      }),
    );
  });

  it('sorts as text in the order of time', () => {
    fc.assert(
      fc.property(instants, instants, bytes, bytes, (one, other, left, right) => {
        fc.pre(one !== other);
        expect(uuidv7(one, left) < uuidv7(other, right)).toBe(one < other);
      }),
    );
  });

  it('keeps every random bit that version and variant leave', () => {
    const zeros = uuidv7(0, new Uint8Array(10));
    const ones = uuidv7(0, new Uint8Array(10).fill(0xff));
    expect([zeros, ones]).toEqual(['00000000-0000-7000-8000-000000000000', '00000000-0000-7fff-bfff-ffffffffffff']);
    expect(() => uuidv7(0, new Uint8Array(9))).toThrow('10 random bytes');
  });
});

describe('bucketOf', () => {
  // The bucket is a stored column: these may never change.
  it.each([
    ['01890000-0000-7000-8000-000000000001', 409],
    ['0199c5f0-1234-7abc-8def-0123456789ab', 780],
    ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f', 2826],
    ['', 3525],
  ])('of %j is %i for ever', (execution, bucket) => {
    expect(bucketOf(execution)).toBe(bucket);
  });

  it('is FNV-1a, by its published test vectors', () => {
    expect(['', 'a', 'foobar'].map(hash32)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });

  it('spreads ids of the same moment evenly, over buckets and over lanes', () => {
    const perBucket = new Array<number>(BUCKETS).fill(0);
    const count = BUCKETS * 16;
    // A counter in place of randomness: the hardest case for a hash, and the same numbers each run.
    for (let n = 0; n < count; n++) perBucket[bucketOf(uuidv7(1_700_000_000_000 + (n >> 4), Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, n >> 8, n & 0xff])))]!++;
    // Of 16 expected each, a Poisson draw stays below 45 in all 4096 but for one time in a million.
    expect(Math.max(...perBucket)).toBeLessThan(45);
    expect(perBucket.filter((each) => each === 0).length).toBeLessThan(10);
    const even = perBucket.filter((_each, bucket) => bucket % 2 === 0).reduce((sum, each) => sum + each, 0);
    expect(Math.abs(even / count - 0.5)).toBeLessThan(0.01);
  });
});

describe('ids from text', () => {
  it.each([
    '',
    'x',
    '01890000-0000-7000-8000-00000000000',
    '01890000-0000-7000-8000-00000000000G',
    '01890000-0000-7000-8000-00000000000A',
    ' 01890000-0000-7000-8000-000000000001',
    '01890000-0000-7000-8000-000000000001\n',
  ])('%j is no execution id', (text) => {
    expect(isUuid(text)).toBe(false);
    expect(() => executionId(text)).toThrow('an execution id is a UUID');
  });

  it.each(['default', 'a', '0', 'acme-2', 'a'.repeat(63), 'deadly', 'un-dead', 'dead-1'])('%j names a tenant', (text) => {
    expect(isTenantId(text)).toBe(true);
    expect(tenantId(text)).toBe(text);
  });

  it.each(['', '-a', 'A', 'a_b', 'a.b', 'a b', 'ü', 'a'.repeat(64), 'a\n', 'a\u0000', 'dead'])('%j names no tenant', (text) => {
    expect(isTenantId(text)).toBe(false);
    expect(() => tenantId(text)).toThrow('a tenant id matches');
  });
});
