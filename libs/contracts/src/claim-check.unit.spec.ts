import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkIn, digestOf, digestOfPath, INLINE_BYTES_MAX, payloadPath, redeem } from './claim-check.js';
import { contextOf } from './context.js';
import { Command, Job } from './generated/weft/v1/jobs.js';
import { AcceptRequest } from './generated/weft/v1/routing.js';

const large = (mark: string, bytes = INLINE_BYTES_MAX + 1): string => JSON.stringify(mark.padEnd(bytes - 2, '.'));
const command = (outputJson: string, evidenceJson = ''): Command =>
  Command.fromPartial({ id: 'c', executionId: 'e', context: contextOf({ tenant: 'default' }), completeJob: { jobId: 'j', generation: 1, outputJson, evidenceJson, taint: ['web'] } });

/** Bytes of JSON text that still travel in a message. */
const inlineBytes = (message: object): number =>
  Object.entries(message).reduce(
    (sum, [name, value]) => sum + (typeof value === 'string' && name.endsWith('Json') ? Buffer.byteLength(value) : typeof value === 'object' && value !== null ? inlineBytes(value as object) : 0),
    0,
  );

describe('checkIn', () => {
  it('leaves a message alone that is small enough', () => {
    const small = command(large('x', INLINE_BYTES_MAX));
    const { message, payloads } = checkIn(small, 'default');
    expect(message).toBe(small);
    expect(payloads).toEqual([]);
  });

  it('counts bytes, not characters', () => {
    expect(checkIn(command(JSON.stringify('ü'.repeat(INLINE_BYTES_MAX / 2))), 'default').payloads).toHaveLength(1);
  });

  it('takes out as little as makes the message small, the largest first', () => {
    const { message, payloads } = checkIn(command(large('output', 200_000), large('evidence', 100_000)), 'acme');
    expect(payloads.map(({ tenant, bytes }) => [tenant, bytes.length])).toEqual([['acme', 200_000]]);
    expect(message.completeJob).toMatchObject({ outputJson: '', evidenceJson: large('evidence', 100_000), taint: ['web'] });
    expect(message.claims).toEqual({ claims: [{ field: 'completeJob.outputJson', digest: digestOf(Buffer.from(large('output', 200_000))), size: 200_000 }] });
  });

  it('gives the same text the same digest in whatever message it is', () => {
    const text = large('shared');
    const digests = [checkIn(Job.fromPartial({ inputJson: text }), 't'), checkIn(command(text), 't'), checkIn(AcceptRequest.fromPartial({ dataJson: text }), 't')].map(
      ({ payloads }) => payloads[0]!.digest,
    );
    expect(new Set(digests).size).toBe(1);
  });

  it('never leaves more than the limit in a message, and everything comes back over the wire', () => {
    const size = fc.integer({ min: 2, max: 400_000 });
    fc.assert(
      fc.property(size, size, size, fc.boolean(), (output, evidence, settlement, isJob) => {
        const whole = isJob
          ? Job.fromPartial({ id: 'j', inputJson: large('i', output), settlement: { happened: true, outputJson: large('s', settlement), decidedBy: 'p' } })
          : command(large('o', output), large('e', evidence));
        const codec = (isJob ? Job : Command) as typeof Command;
        const { message, payloads } = checkIn(whole as Command, 'default');
        expect(inlineBytes(message)).toBeLessThanOrEqual(INLINE_BYTES_MAX);
        const kept = new Map(payloads.map(({ digest, bytes }) => [digest, bytes]));
        const redeemed = redeem(codec.decode(codec.encode(message).finish()), (digest) => kept.get(digest));
        expect(redeemed).toEqual({ ok: true, message: codec.decode(codec.encode(whole as Command).finish()) });
      }),
      { numRuns: 30 },
    );
  });
});

describe('redeem', () => {
  it('says which payload is missing', () => {
    const { message, payloads } = checkIn(command(large('x')), 'default');
    expect(redeem(message, () => undefined)).toMatchObject({ ok: false, rejection: { code: 'payload-missing', message: expect.stringContaining(payloads[0]!.digest) } });
  });

  it('puts nothing where a message has no such text, whatever a claim names', () => {
    const claims = ['__proto__.x', 'constructor.prototype.outputJson', 'nothing.outputJson', 'executionId.length', ''].map((field) => ({ field, digest: 'd', size: 1 }));
    const odd = { ...command('{}'), claims: { claims } };
    expect(redeem(odd, () => new Uint8Array([120]))).toEqual({ ok: true, message: { ...command('{}'), claims: undefined } });
    expect(({} as { outputJson?: unknown }).outputJson).toBeUndefined();
  });
});

describe('the path of a payload', () => {
  it('leads back to its digest, and nothing else does', () => {
    const digest = 'a'.repeat(64);
    expect(digestOfPath(payloadPath(digest))).toBe(digest);
    for (const path of ['', 'https://example.com/x', `/v1/payloads/${digest}/more`, '/v1/payloads/abc']) expect(digestOfPath(path)).toBeUndefined();
  });
});
