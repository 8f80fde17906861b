import { expect, it } from 'vitest';
import { preferredWaitS } from './read-event.js';

it.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['wait=30', 30],
  ['respond-async, wait=10', 10],
  ['Wait = "5"; x=y', 5],
  ['wait=600', 60],
  ['wait=-1', undefined],
  ['wait=soon', undefined],
  ['handling=lenient', undefined],
])('preferredWaitS > reads %j as %j', (header, seconds) => {
  expect(preferredWaitS(header)).toBe(seconds);
});
