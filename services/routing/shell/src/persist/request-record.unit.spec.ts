import { payloadDigest } from '@weft/proof';
import { describe, expect, it } from 'vitest';
import { requestDigest } from './request-record.js';

describe('requestDigest', () => {
  it('is the digest of decision 0 about `request/<execution id>`, the same for ever', () => {
    const request = { tenant: 'default', executionId: '01890000-0000-7000-8000-000000000001', acceptedAt: 1_700_000_000_000 };
    const digest = requestDigest(request, '{"subject":"","verdict":{"status":"refused"}}', payloadDigest(Buffer.alloc(16, 7), '["secret"]'));
    expect(digest.toString('hex')).toBe('52611adf40033479569c0bdb6021f9cb5e617f795da95edb9b6a36ced95af1a2');
  });
});
