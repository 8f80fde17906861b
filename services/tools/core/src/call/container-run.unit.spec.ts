import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { containerArguments, readContainerRun } from './container-run.js';

const read = (args: { readonly [name: string]: Json }) => readContainerRun({ image: 'alpine', ...args });
const argumentsOf = (args: { readonly [name: string]: Json }): string => {
  const reading = read(args);
  if (!reading.ok) throw new Error(reading.failure.message);
  return containerArguments(reading.value, 'n', '/tmp/id').join(' ');
};

describe('run: container', () => {
  it('is a run of the engine with everything that the document says', () => {
    const args = { ports: { '8080': 80 }, volumes: { shop: '/data' }, environment: { A: 'b' }, arguments: ['Foo', 2], pullPolicy: 'always', lifetime: { cleanup: 'always' } };
    expect(argumentsOf(args)).toBe('run --interactive --rm --cidfile /tmp/id --name n --pull always --publish 8080:80 --volume shop:/data --env A=b alpine Foo 2');
  });

  it('runs its command by the shell of the image, with its arguments as $1 and $2', () => {
    expect(argumentsOf({ command: 'echo $1', arguments: ['Foo'] })).toBe('run --interactive --cidfile /tmp/id --name n --pull missing alpine sh -c echo $1 sh Foo');
  });

  it.each([
    [{ image: '--privileged' }, 'image is "--privileged"'],
    [{ name: '-v' }, 'name is "-v"'],
    [{ volumes: { '/etc': '/data' } }, 'no folder of the host is mounted'],
    [{ volumes: { shop: '/data:rw,z' } }, 'no folder of the host'],
    [{ ports: { all: 80 } }, 'ports of the host to ports'],
    [{ lifetime: { cleanup: 'eventually' } }, 'lifetime.after is missing'],
    [{ pullPolicy: 'sometimes' }, 'pullPolicy is "sometimes"'],
  ] as const)('%j is refused', (args, words) => {
    expect(read(args as { readonly [name: string]: Json })).toMatchObject({ ok: false, failure: { code: 'input-invalid', message: expect.stringContaining(words) } });
  });

  it('is deleted at once, later, or never', () => {
    expect([read({ lifetime: { cleanup: 'always' } }), read({ lifetime: { cleanup: 'eventually', after: { seconds: 2 } } }), read({})].map((one) => one.ok && one.value.deletedAfterMs)).toEqual([
      0,
      2_000,
      undefined,
    ]);
  });
});
