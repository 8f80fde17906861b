import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkExpression } from '../check-expression.js';
import { lintWorkflow } from './lint.js';
import { LINT_RULES } from './rules.js';

const HEAD = 'document: {dsl: 1.0.3, namespace: test, name: lint, version: 1.0.0}\n';
const lint = (text: string) => lintWorkflow(HEAD + text, { checkExpression });
const found = (text: string, rule: string): readonly string[] =>
  lint(text)
    .filter((finding) => finding.rule === rule || finding.severity === 'error')
    .map(({ pointer, message, severity }) => (severity === 'error' ? message : pointer!));

const CALL = "call: http, with: {method: post, endpoint: 'https://x.example/'}";

/** By rule: documents (their `do` and more) in which it finds something, with where; and some in which it finds nothing. */
const CASES: Readonly<Record<string, { readonly finds: readonly (readonly [text: string, ...pointers: string[]])[]; readonly passes: readonly string[] }>> = {
  'unreachable-task': {
    finds: [
      ['do: [{a: {set: {x: 1}, then: c}}, {b: {set: {x: 1}}}, {c: {set: {x: 1}}}]', '/do/1/b'],
      ['do: [{a: {do: [{x: {set: {y: 1}, then: exit}}, {z: {set: {y: 1}}}]}}]', '/do/0/a/do/1/z'],
      ['do: [{a: {switch: [{one: {when: .x, then: end}}, {rest: {then: c}}]}}, {b: {set: {x: 1}}}, {c: {set: {x: 1}}}]', '/do/1/b'],
      ['do: [{a: {raise: {error: {type: https://x.example/e, status: 400}}}}, {b: {set: {x: 1}}}]', '/do/1/b'],
    ],
    passes: [
      'do: [{a: {if: .x, set: {x: 1}, then: c}}, {b: {set: {x: 1}}}, {c: {set: {x: 1}}}]',
      'do: [{a: {switch: [{one: {when: .x, then: c}}]}}, {b: {set: {x: 1}}}, {c: {set: {x: 1}}}]',
      'do: [{a: {fork: {branches: [{x: {set: {y: 1}, then: exit}}, {z: {set: {y: 1}}}]}}}]',
    ],
  },
  'endless-loop': {
    finds: [['do: [{a: {set: {x: 1}}}, {b: {wait: PT1S, then: a}}]', '/do/0/a']],
    passes: ['do: [{a: {switch: [{done: {when: .x, then: end}}]}}, {b: {wait: PT1S, then: a}}]', 'do: [{a: {if: .x, set: {x: 1}, then: a}}]'],
  },
  'switch-without-default': {
    finds: [['do: [{a: {switch: [{one: {when: .x, then: end}}]}}]', '/do/0/a/switch']],
    passes: ['do: [{a: {switch: [{one: {when: .x, then: end}}, {rest: {then: exit}}]}}]', 'do: [{a: {switch: [{one: {when: .x, then: end}}], then: exit}}]'],
  },
  'listen-forever': {
    finds: [["do: [{a: {listen: {to: {any: [], until: '${ false }'}}}}]", '/do/0/a']],
    passes: ["do: [{a: {listen: {to: {any: [], until: '(. | length) > 3'}}}}]", 'do: [{a: {listen: {to: {any: []}}}}]'],
  },
  'wait-without-timeout': {
    finds: [
      ['do: [{a: {listen: {to: {one: {with: {type: t}}}}}}]', '/do/0/a'],
      ['do: [{a: {call: review, with: {title: t, subject: 1}}}]', '/do/0/a'],
    ],
    passes: ['do: [{a: {call: review, with: {title: t, subject: 1, expires: P1D}}}]', 'do: [{a: {wait: PT1S}}]'],
  },
  'retry-without-limit': {
    finds: [
      ['do: [{a: {try: [{x: {set: {y: 1}}}], catch: {retry: {delay: PT1S}}}}]', '/do/0/a/catch/retry'],
      ['use: {retries: {often: {delay: PT1S}}}\ndo: [{a: {try: [{x: {set: {y: 1}}}], catch: {retry: often}}}]', '/use/retries/often'],
    ],
    passes: ['do: [{a: {try: [{x: {set: {y: 1}}}], catch: {retry: {limit: {attempt: {count: 3}}}}}}]'],
  },
  'effect-without-catch': {
    finds: [
      [`do: [{a: {${CALL}}}]`, '/do/0/a'],
      [`do: [{a: {try: [{x: {${CALL}}}], catch: {errors: {with: {status: 404}}}}}]`, '/do/0/a/try/0/x'],
      [`do: [{a: {try: [{x: {set: {y: 1}}}], catch: {do: [{x: {${CALL}}}]}}}]`, '/do/0/a/catch/do/0/x'],
      ['do: [{a: {call: tool, with: {name: pay}}}]', '/do/0/a'],
    ],
    passes: [
      `do: [{a: {try: [{x: {${CALL}}}], catch: {}}}]`,
      `do: [{a: {try: [{x: {${CALL}}}], catch: {errors: {with: {type: https://serverlessworkflow.io/dsl/errors/types/communication}}}}}]`,
      "do: [{a: {call: http, with: {method: get, endpoint: 'https://x.example/'}}}]",
    ],
  },
  'unused-definition': {
    finds: [
      ['use: {errors: {gone: {type: https://x.example/e, status: 400}}}\ndo: [{a: {set: {x: 1}}}]', '/use/errors/gone'],
      ['use: {retries: {often: {limit: {attempt: {count: 1}}}}}\ndo: [{a: {set: {retry: ofte}}}]', '/use/retries/often'],
    ],
    passes: ['use: {errors: {gone: {type: https://x.example/e, status: 400}}}\ndo: [{a: {raise: {error: gone}}}]'],
  },
  'unused-variable': {
    finds: [
      ['do: [{a: {try: [{x: {set: {y: 1}}}], catch: {as: problem, do: [{z: {set: {y: 1}}}]}}}]', '/do/0/a/catch/as'],
      ["do: [{a: {for: {each: pet, in: .pets}, do: [{z: {set: {y: '${ .pet }'}}}]}}]", '/do/0/a/for/each'],
    ],
    passes: ["do: [{a: {try: [{x: {set: {y: 1}}}], catch: {as: problem, when: '$problem.status == 500'}}}]", 'do: [{a: {for: {in: .pets}, do: [{z: {set: {y: 1}}}]}}]'],
  },
  'shadowed-variable': {
    finds: [['do: [{a: {for: {in: .x}, do: [{b: {for: {in: $item, at: j}, do: [{c: {set: {y: 1}}}]}}]}}]', '/do/0/a/do/0/b']],
    passes: ['do: [{a: {for: {in: .x}, do: [{b: {for: {each: inner, in: $item, at: j}, do: [{c: {set: {y: 1}}}]}}]}}]'],
  },
  'text-like-expression': {
    finds: [
      ['do: [{a: {set: {customer: .customer}}}]', '/do/0/a/set/customer'],
      ["do: [{a: {call: http, with: {method: get, endpoint: 'https://x.example/', query: {q: $context.q}}}}]", '/do/0/a/with/query/q'],
    ],
    passes: ["do: [{a: {set: {price: $5, dots: ..., file: .env/x, ok: '${ .customer }'}}}]"],
  },
  'constant-condition': {
    finds: [["do: [{a: {if: '1 == 1', set: {x: 1}}}]", '/do/0/a/if']],
    passes: ["do: [{a: {if: '.x == 1', set: {if: 'true'}}}]"],
  },
  'dynamic-resource': { finds: [], passes: ['do: [{a: {set: {x: 1}}}]'] },
  'ignored-field': {
    finds: [
      ['do: [{a: {emit: {event: {type: t, with: {type: t, source: "https://x.example"}}}}}]', '/do/0/a/emit/event/type'],
      ['do: [{a: {call: mcp, with: {method: tools/list, params: {}, transport: {http: {endpoint: "https://x.example"}}}}}]', '/do/0/a/with/params'],
      ['do: [{a: {call: mcp, with: {method: tools/list, transport: {stdio: {command: x, args: []}}}}}]', '/do/0/a/with/transport/stdio/args'],
    ],
    passes: [
      'do: [{a: {raise: {error: {type: https://x.example/e, status: 400, instance: /x}}}}]',
      'do: [{a: {call: mcp, with: {method: tools/list, parameters: {}, transport: {stdio: {command: x}, options: {a: b}}}}}]',
    ],
  },
  'reserved-name': {
    finds: [['do: [{a: {do: [{end: {set: {x: 1}}}]}}]', '/do/0/a/do/0/end']],
    passes: ['do: [{ends: {set: {x: 1}, then: end}}]'],
  },
  'pre-release': { finds: [], passes: ['do: [{a: {set: {x: 1}}}]'] },
};

describe('lint', () => {
  it('has a case for each rule, in both directions', () => {
    expect(Object.keys(CASES).toSorted()).toEqual(LINT_RULES.map(({ id }) => id).toSorted());
    for (const { id, summary } of LINT_RULES) expect([id, summary]).toEqual([expect.stringMatching(/^[a-z-]+$/), expect.stringMatching(/\.$/)]);
  });

  describe.each(Object.entries(CASES))('%s', (rule, { finds, passes }) => {
    it.each(finds)('finds its fault in %s', (text, ...pointers) => expect(found(text, rule)).toEqual(pointers));
    it.each(passes)('finds nothing in %s', (text) => expect(found(text, rule)).toEqual([]));
  });

  it('finds addresses of documents that are expressions', () => {
    const rule = LINT_RULES.find(({ id }) => id === 'dynamic-resource')!;
    const document = { do: [{ a: { call: 'openapi', with: { document: { endpoint: '${ .address }' }, operationId: 'o' } } }] };
    expect(rule.check({ document, use: {}, tasks: [] }).map(({ pointer }) => pointer)).toEqual(['/do/0/a/with/document/endpoint']);
  });

  it('tells what publish refuses as errors, and asks no rule then', () => {
    expect(lint('do: [{a: {sett: {x: .y}}}]')).toEqual([expect.objectContaining({ rule: 'workflow-invalid', severity: 'error', pointer: '/do/0/a', line: 2, column: 7 })]);
    expect(lintWorkflow('{', { checkExpression })).toEqual([expect.objectContaining({ rule: 'workflow-syntax', severity: 'error' })]);
  });

  it('tells line and column, in the order of the text, and leaves out what is ignored', () => {
    const text = `do:\n  - a:\n      set: {x: .y}\n  - b:\n      switch: [{one: {when: .x, then: end}}]\n`;
    expect(lint(text).map(({ rule, line, column }) => [rule, line, column])).toEqual([
      ['text-like-expression', 4, 13],
      ['switch-without-default', 6, 7],
    ]);
    expect(lintWorkflow(HEAD + text, { checkExpression }, ['text-like-expression']).map(({ rule }) => rule)).toEqual(['switch-without-default']);
  });

  const folder = `${process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../../shared/fixtures', import.meta.url))}/ows/examples`;
  it.skipIf(!existsSync(folder))('reads every example of the specification (skipped: ../shared/fixtures/ows/examples is not there)', () => {
    for (const file of readdirSync(folder)) expect(Array.isArray(lintWorkflow(readFileSync(`${folder}/${file}`, 'utf8'), { checkExpression }))).toBe(true);
  });
});
