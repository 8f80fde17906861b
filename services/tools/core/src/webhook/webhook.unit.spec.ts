import { describe, expect, it } from 'vitest';
import { ATTEMPTS_MAX, isToldOf, meaningOf, pauseAfter, type Webhook } from './webhook.js';

const webhook = (more: Partial<Webhook> = {}): Webhook => ({ name: 'desk', tenant: 'default', url: 'https://desk.example/', secret: 'DESK', events: ['ai.weft.review.*'], assignees: [], ...more });
const event = (type: string, data: object = {}, tenant = 'default') => ({ tenant, type, data: data as never });

describe('a webhook', () => {
  it.each([
    ['ai.weft.review.*', 'ai.weft.review.requested.v1', true],
    ['ai.weft.review.*', 'ai.weft.reviewed', false],
    ['ai.weft.review.requested.v1', 'ai.weft.review.requested.v1', true],
    ['ai.weft.review.requested.v1', 'ai.weft.review.requested.v12', false],
    ['*.v1', 'ai.weft.review.requested.v1', true],
    ['ai.*.requested.*1', 'ai.weft.review.requested.v1', true],
    ['ai.*.requested.*v1', 'ai.weft.requested.v', false],
    ['a*a', 'a', false],
    ['*', 'anything', true],
  ])('of %s is told of %s: %s', (pattern, type, isTold) => {
    expect(isToldOf(webhook({ events: ['none', pattern] }), event(type))).toBe(isTold);
  });

  it('is never told of what happens at another tenant', () => {
    expect(isToldOf(webhook({ events: ['*'] }), event('x', {}, 'acme'))).toBe(false);
  });

  it('for some assignees is told of what they are asked, handed or called to', () => {
    const finance = webhook({ assignees: ['role:finance'] });
    const type = 'ai.weft.review.x.v1';
    for (const data of [{ assignees: ['user:eva', 'role:finance'] }, { to: ['role:finance'] }]) expect(isToldOf(finance, event(type, data))).toBe(true);
    for (const data of [{}, { assignees: ['role:legal'] }, { assignees: 'role:finance' }, { to: [] }]) expect(isToldOf(finance, event(type, data))).toBe(false);
  });
});

describe('an attempt that failed', () => {
  it('is made again after pauses that grow, until the message is set aside', () => {
    const pauses = Array.from({ length: ATTEMPTS_MAX }, (_, n) => pauseAfter(n + 1));
    expect(pauses.at(-1)).toBeUndefined();
    const known = pauses.slice(0, -1) as number[];
    expect(known).toEqual(known.toSorted((left, right) => left - right));
  });

  it('waits as long as the receiver asks, but no longer than a day', () => {
    expect(pauseAfter(1, 60_000)).toBe(60_000);
    expect(pauseAfter(1, 1_000)).toBe(5_000);
    expect(pauseAfter(1, 1e12)).toBe(86_400_000);
  });

  it.each([
    [200, 'taken'],
    [204, 'taken'],
    [301, 'again'],
    [404, 'again'],
    [410, 'never'],
    [500, 'again'],
  ] as const)('with status %d means %s', (status, meaning) => {
    expect(meaningOf(status)).toBe(meaning);
  });
});
