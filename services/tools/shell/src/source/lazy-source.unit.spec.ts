import { describe, expect, it } from 'vitest';
import { LazySource } from './lazy-source.js';
import { SourceUnavailable, type ToolSource } from './tool-source.js';

function world() {
  let opened = 0;
  let closed = 0;
  let announce = (): void => undefined;
  const inner: ToolSource = {
    name: 'x',
    identity: { x: 1 },
    list: async () => [],
    call: async () => ({ outcome: { kind: 'failed', failure: { code: 'unreachable', message: '', retryable: true } } }),
    onChange: (listener) => (announce = listener),
    close: async () => void closed++,
  };
  const source = new LazySource('x', { x: 1 }, async () => (opened++, inner));
  return { source, counts: () => ({ opened, closed }), announce: () => announce() };
}

describe('a source that is loaded when it is asked', () => {
  it('is opened once, by the first who asks', async () => {
    const { source, counts } = world();
    expect(counts().opened).toBe(0);
    await Promise.all([source.list(AbortSignal.timeout(1_000)), source.list(AbortSignal.timeout(1_000))]);
    expect(counts().opened).toBe(1);
  });

  it('hands on what it announces to who listened before it was opened', async () => {
    const { source, announce } = world();
    let heard = 0;
    source.onChange(() => heard++);
    await source.list(AbortSignal.timeout(1_000));
    announce();
    expect(heard).toBe(1);
  });

  it('ends what it opened, and opens nothing after its end', async () => {
    const { source, counts } = world();
    await source.close();
    await expect(source.list(AbortSignal.timeout(1_000))).rejects.toThrow(SourceUnavailable);
    expect(counts()).toEqual({ opened: 0, closed: 0 });
    const other = world();
    await other.source.list(AbortSignal.timeout(1_000));
    await other.source.close();
    expect(other.counts()).toEqual({ opened: 1, closed: 1 });
  });
});
