import { describe, expect, it } from 'vitest';
import { judge } from './judge.js';

describe('judge', () => {
  it('passes a value without findings, and says which schema it satisfies', () => {
    expect(judge([], 'abcdef0123456789', 'reply')).toEqual({
      verdict: 'pass',
      evidence: [{ pointer: '', rule: 'schema', message: 'Satisfies schema abcdef012345.' }],
      schemaDigest: 'abcdef0123456789',
      policy: 'reply',
    });
  });

  it('fails a value with findings, and names the place and the rule of each', () => {
    const verdict = judge([{ pointer: '/amount', keyword: 'maximum', message: 'must be <= 100' }], 'd', '');
    expect(verdict).toMatchObject({ verdict: 'fail', evidence: [{ pointer: '/amount', rule: 'maximum', message: 'Expected /amount to satisfy `maximum`: must be <= 100.' }] });
  });

  it('keeps a bounded amount of evidence', () => {
    const findings = Array.from({ length: 500 }, (_, index) => ({ pointer: `/${index}`, keyword: 'type', message: 'must be string' }));
    expect(judge(findings, 'd', '').evidence).toHaveLength(20);
  });
});
