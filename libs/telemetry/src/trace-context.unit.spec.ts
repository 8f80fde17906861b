import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceparent, isSampled, newTraceparent, parseTraceparent, traceIdOf } from './trace-context.js';

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

describe('traceparent', () => {
  it('parses what it formats, and agrees on sampling without parsing', () => {
    fc.assert(
      fc.property(fc.boolean(), (sampled) => {
        const text = newTraceparent(sampled);
        const parsed = parseTraceparent(text)!;
        expect(parsed.sampled).toBe(sampled);
        expect(isSampled(text)).toBe(sampled);
        expect(formatTraceparent(parsed)).toBe(text);
        expect(traceIdOf(text)).toBe(parsed.traceId);
      }),
    );
  });

  it('reads only the sampled bit of the flags', () => {
    expect(parseTraceparent(`00-${trace}-${span}-03`)?.sampled).toBe(true);
    expect(isSampled(`00-${trace}-${span}-03`)).toBe(true);
    expect(isSampled(`00-${trace}-${span}-02`)).toBe(false);
  });

  it('accepts later versions with more fields, but not version ff', () => {
    expect(parseTraceparent(`01-${trace}-${span}-01-more`)?.traceId).toBe(trace);
    expect(parseTraceparent(`00-${trace}-${span}-01-more`)).toBeUndefined();
    expect(parseTraceparent(`ff-${trace}-${span}-01`)).toBeUndefined();
  });

  it('refuses what names no trace', () => {
    for (const text of ['', 'garbage', `00-${'0'.repeat(32)}-${span}-01`, `00-${trace}-${'0'.repeat(16)}-01`, `00-${trace.toUpperCase()}-${span}-01`]) {
      expect(parseTraceparent(text)).toBeUndefined();
    }
    expect(isSampled('')).toBe(false);
  });

  it('gives a new trace its own id each time', () => {
    expect(traceIdOf(newTraceparent(true))).not.toBe(traceIdOf(newTraceparent(true)));
  });
});
