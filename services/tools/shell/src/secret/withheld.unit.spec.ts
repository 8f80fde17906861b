import { rejection } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { Withheld } from './withheld.js';

const SECRET = 'p"w/d+ä & 7~secret';
const kept = (value = SECRET): Withheld => {
  const withheld = new Withheld();
  withheld.add('secret KEY', value);
  return withheld;
};

describe('a value that is withheld', () => {
  it.each<readonly [string, string]>([
    ['as it is', SECRET],
    ['as part of a JSON text', JSON.stringify({ key: SECRET })],
    ['in a page of HTML', '<p>p&quot;w/d+ä &amp; 7~secret</p>'],
    ['in a URL', `https://a.test/?key=${encodeURIComponent(SECRET)}&x=1`],
    ['in a URL, in lower case', `https://a.test/?key=${encodeURIComponent(SECRET).replaceAll(/%../g, (part) => part.toLowerCase())}`],
    ['in a form', new URLSearchParams({ key: SECRET }).toString()],
    ['in hex', Buffer.from(SECRET).toString('hex')],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in the base64 of URLs', Buffer.from(SECRET).toString('base64url')],
    ...[0, 1, 2, 3].map((before) => [`within base64, after ${before} bytes`, Buffer.from(`${'u'.repeat(before)}${SECRET} and more`).toString('base64')] as const),
  ])('is not told %s', (_how, text) => {
    const told = kept().text(text);
    expect(told).toContain('[secret KEY]');
    expect(Buffer.from(told.replace(/\[.*?\]/g, ''), 'base64').toString('latin1')).not.toContain('secret');
    expect(kept().json({ deep: [text], [text]: 1 })).toEqual({ deep: [told], [told]: 1 });
  });

  it('is not told as a number either', () => {
    expect(kept('123456').json({ pin: 123456, price: 1234567 })).toEqual({ pin: '[secret KEY]', price: 1234567 });
  });

  it('is taken out of a failure that has cut it', () => {
    const token = Array.from({ length: 40 }, (_, at) => `part-${at}-of-it`).join('.');
    const cut = (message: string): string => kept(token).failure(rejection('input-invalid', message)).message;
    expect(cut(`endpoint is ${JSON.stringify(token).slice(0, 80)}, not a URL`)).toBe('endpoint is "[secret KEY], not a URL');
    expect(cut(`it ended with 1: ${token.slice(-100)} was refused`)).toBe('it ended with 1: [secret KEY] was refused');
    expect(cut(`${token.slice(0, 30)} and ${token}`)).toBe('[secret KEY] and [secret KEY]');
  });

  it('that is a URL leaves in a failure where it leads', () => {
    const withheld = kept('https://hooks.test:8443/services/T000/B000/XXXXXXXX');
    const failure = rejection('denied', 'Expected a place that may be reached but https://hooks.test:8443 is not listed; it was https://hooks.test:8443/services/T000/B0');
    expect(withheld.failure(failure).message).toBe('Expected a place that may be reached but https://hooks.test:8443 is not listed; it was [secret KEY]');
  });
});
