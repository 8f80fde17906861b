import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { answerTo, startDnsStandIn } from './dns-stand-in.js';
import { judge, type Attempt } from './egress-checker.js';

const attempt = (more: Partial<Attempt>): Attempt => ({ id: '1', url: 'http://127.0.0.1/', way: 'call', isBenign: false, told: 'link-local and metadata addresses are never reached', ...more });
const benign = attempt({ id: 'b', isBenign: true, told: 'completed' });
const arrived = { at: 'allowed', path: '/ok/b' } as const;

describe('the judge of egress', () => {
  it('is content when all that may not be reached was refused and the rest arrived', () => {
    expect(judge([attempt({}), benign], [arrived])).toEqual({ attempts: 2, urls: 1, refused: 1, connections: 0, benign: 1, reached: 1, violations: [] });
  });

  it.each([
    ['a connection in the sink, whatever callers were told', [attempt({}), benign], [arrived, { at: 'sink', to: '127.0.0.1' } as const], /1 connections/],
    ['an attempt that completed', [attempt({ told: 'completed' }), benign], [arrived], /was not refused/],
    ['an attempt that went out and failed on the way', [attempt({ told: 'Expected a connection but got ECONNREFUSED.' }), benign], [arrived], /was not refused/],
    ['a benign request that is told to have arrived but did not', [attempt({}), benign], [], /0 of 1/],
    ['a run without benign requests', [attempt({})], [], /none was asked for/],
  ])('objects to %s', (_what, attempts, arrivals, sentence) => {
    expect(judge(attempts, arrivals).violations.join()).toMatch(sentence);
  });
});

describe('the name server', () => {
  it('answers what a name says, in turns where it says so', async () => {
    const dns = await startDnsStandIn();
    const resolver = new Resolver();
    resolver.setServers([dns.address]);
    expect(await resolver.resolve4('all-7f000001-0a000001.x.test')).toEqual(['127.0.0.1', '10.0.0.1']);
    expect(await resolver.resolve6('all-7f000001-00000000000000000000ffff7f000001.x.test')).toEqual(['::ffff:127.0.0.1']);
    expect(await resolver.resolve4('alias-7f000001.x.test')).toEqual(['127.0.0.1']);
    const turns = [];
    for (let turn = 0; turn < 3; turn++) turns.push((await resolver.resolve4('turns-08080808-7f000001.x.test'))[0]);
    expect(turns).toEqual(['8.8.8.8', '127.0.0.1', '127.0.0.1']);
    await expect(resolver.resolve4('else.x.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await dns.close();
  });

  it('gives no answer to what is no question', () => {
    expect(answerTo(Buffer.from('nonsense'), new Map())).toBeUndefined();
    expect(answerTo(Buffer.alloc(40, 0xff), new Map())).toBeUndefined();
  });
});
