import { describe, expect, it } from 'vitest';
import { matchesName } from './name-pattern.js';

describe('matchesName', () => {
  it.each([
    ['send', 'send'],
    ['*', ''],
    ['*', 'anything'],
    ['send-*', 'send-mail'],
    ['*-mail', 'send-mail'],
    ['a*c*e', 'abcde'],
    ['a**b', 'ab'],
  ])('%j names %j', (pattern, name) => expect(matchesName(pattern, name)).toBe(true));

  it.each([
    ['send', 'send-mail'],
    ['send-*', 'send'],
    ['*-mail', 'send-mails'],
    ['aba*aba', 'ababa'],
    ['a*bc*c', 'abc'],
    ['', 'x'],
    ['.*', 'x'],
  ])('%j does not name %j', (pattern, name) => expect(matchesName(pattern, name)).toBe(false));

  it('takes a pattern of a narrower one as its text: what names the pattern names all that it names', () => {
    expect(matchesName('send-*', 'send-mail-*')).toBe(true);
    expect(matchesName('send-mail-*', 'send-*')).toBe(false);
  });
});
