import type { Json } from '@weft/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, definitionText } from './canonical.js';
import { read } from './documents.testing.js';

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units and writes numbers as ECMAScript does', () => {
    // From RFC 8785: the key U+1F600 sorts before U+FB33: its first code unit is the smaller.
    expect(canonicalJson({ '\ufb33': 1, '\u{1f600}': 2, '1': 3, '\r': 4, é: 5 })).toBe('{"\\r":4,"1":3,"é":5,"\u{1f600}":2,"\ufb33":1}');
    expect(canonicalJson([1e21, 1e-7, -0, 4.5, 0.002])).toBe('[1e+21,1e-7,0,4.5,0.002]');
  });

  it('is JSON of the same value, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as Json);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
      }),
    );
  });
});

describe('definitionText', () => {
  it('is the same for YAML and JSON of one definition', () => {
    const yaml = read('do:\n  - a: { set: { c: 1, b: 2 } }\ndocument: { version: 1.0.0, name: orders, dsl: 1.0.3, namespace: acme }\n');
    const json = read('{"document":{"dsl":"1.0.3","namespace":"acme","name":"orders","version":"1.0.0"},"do":[{"a":{"set":{"b":2,"c":1}}}]}');
    if (!yaml.ok || !json.ok) throw new Error('not read');
    expect(definitionText(yaml.workflow)).toBe(definitionText(json.workflow));
  });
});
