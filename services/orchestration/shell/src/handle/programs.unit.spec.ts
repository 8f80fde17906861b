import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import type { DefinitionContent, DefinitionStore } from '../persist/definition-store.js';
import { ProgramCache } from './programs.js';

const GOOD: Json = { document: { dsl: '1.0.3', namespace: 'n', name: 'w', version: '1.0.0' }, do: [{ one: { set: { a: 1 } } }] };
const BAD: Json = { document: { dsl: '1.0.3', namespace: 'n', name: 'w', version: '1.0.0' }, do: [{ one: { dance: true } }] };

describe('ProgramCache', () => {
  it('keeps what cannot be compiled from the others, and says why when it is asked for', async () => {
    const documents: Readonly<Record<string, Json>> = { good: GOOD, bad: BAD };
    const asked: string[][] = [];
    const store = {
      contents: async (digests: readonly string[]) => {
        asked.push([...digests]);
        return new Map(digests.flatMap((digest): [string, DefinitionContent][] => (documents[digest] === undefined ? [] : [[digest, { document: documents[digest], resources: {} }]])));
      },
    };
    const programs = new ProgramCache(store as unknown as DefinitionStore);
    await programs.fetch(['bad', 'good', 'gone', '']);
    expect(programs.get('good').tasks.size).toBe(1);
    expect(() => programs.get('bad')).toThrow('definition bad cannot be compiled');
    expect(() => programs.get('gone')).toThrow('definition gone is not stored');
    await programs.fetch(['bad', 'good']);
    expect(asked).toEqual([['bad', 'good', 'gone']]);
  });
});
