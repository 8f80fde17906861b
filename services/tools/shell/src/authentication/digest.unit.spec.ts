import { describe, expect, it } from 'vitest';
import { digestAnswer, digestChallenge } from './digest.js';

const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
const challenge = (algorithm: string, more = 'qop="auth, auth-int"') =>
  `Digest realm="http-auth@example.org", ${more}${more === '' ? '' : ', '}algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
const request = { method: 'GET', target: '/dir/index.html', body: '' };
const responseOf = (header: string): string | undefined => /response="(\w+)"/.exec(digestAnswer(digestChallenge(header)!, MUFASA, request, CNONCE))?.[1];

describe('digest authentication', () => {
  it('answers as the examples of RFC 7616 do', () => {
    expect(responseOf(challenge('SHA-256'))).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
    expect(responseOf(challenge('MD5'))).toBe('8ca523f5e9506fed4657c9700eebdbec');
  });

  it('takes the strongest of several challenges, whatever their order and their neighbours', () => {
    const header = `Basic realm="a, b", ${challenge('MD5')}, ${challenge('SHA-256')}`;
    expect(digestChallenge(header)).toMatchObject({ algorithm: 'SHA-256', qop: 'auth', realm: 'http-auth@example.org' });
  });

  it('counts the body in where only that is offered, and leaves out what no quality of protection asks for', () => {
    expect(digestAnswer(digestChallenge(challenge('SHA-256', 'qop="auth-int"'))!, MUFASA, { ...request, body: 'x' }, CNONCE)).toContain('qop=auth-int');
    expect(digestAnswer(digestChallenge(challenge('MD5', ''))!, MUFASA, request, CNONCE)).not.toMatch(/qop|cnonce|nc=/);
  });

  it('hides the user name where the server wants it', () => {
    const answer = digestAnswer(digestChallenge(challenge('SHA-256', 'qop="auth", userhash=true'))!, MUFASA, request, CNONCE);
    expect(answer).not.toContain('Mufasa');
    expect(answer).toContain('userhash=true');
  });

  it.each([['Basic realm="x"'], ['Digest realm="x", nonce="n", algorithm=UNKNOWN'], ['Digest realm="x", nonce="n", qop="other"'], ['Digest realm="x"'], ['']])('has no answer to %s', (header) => {
    expect(digestChallenge(header)).toBeUndefined();
  });
});
