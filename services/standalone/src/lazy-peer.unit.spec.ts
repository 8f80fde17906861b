import { describe, expect, it } from 'vitest';
import { lazyPeer } from './lazy-peer.js';

class Counter {
  #count = 0;
  add(by: number): number {
    return (this.#count += by);
  }
}

describe('lazyPeer', () => {
  it('looks the peer up when it is first called, and once', () => {
    let looks = 0;
    const peer = lazyPeer<Counter>(() => {
      looks++;
      return new Counter();
    });
    expect(looks).toBe(0);
    expect([peer.add(1), peer.add(2)]).toEqual([1, 3]);
    expect(looks).toBe(1);
  });

  it('is no promise, and nothing that Nest takes for a provider with a life', async () => {
    const peer = lazyPeer<Counter>(() => expect.fail('nobody called it'));
    expect(await Promise.resolve(peer)).toBe(peer);
    expect(Reflect.get(peer, 'onModuleInit')).toBeUndefined();
  });

  it('looks again when the peer was not there yet', () => {
    const started: Counter[] = [];
    const peer = lazyPeer<Counter>(() => {
      const [counter] = started;
      if (!counter) throw new Error('not yet');
      return counter;
    });
    expect(() => peer.add(1)).toThrow('not yet');
    started.push(new Counter());
    expect(peer.add(1)).toBe(1);
  });
});
