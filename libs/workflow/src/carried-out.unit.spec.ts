import { describe, expect, it } from 'vitest';
import { notYetProblems } from './carried-out.js';
import { withTasks } from './documents.testing.js';
import { NOT_YET, type NotYet } from './not-yet.js';
import { placedTasks } from './tasks.js';

const document = withTasks([{ a: { set: { b: 1 }, timeout: { after: 'PT1S' } } }, { c: { for: { in: '.x' }, do: [{ d: { call: 'smoke', with: { signals: [{ high: true }, {}] } } }] } }], {
  use: { timeouts: { soon: { after: 'PT1S' }, later: {} } },
});
const told = (list: readonly NotYet[]): readonly string[] => notYetProblems(document, placedTasks(document), list).map(({ pointer, message }) => `${pointer}: ${message}`);

describe('what the standard has and this engine does not carry out yet', () => {
  it('is told where it stands: in the document, in tasks of every kind, in those of one', () => {
    expect(
      told([
        { where: 'document', what: 'use.timeouts' },
        { where: 'task', what: 'timeout' },
        { where: 'for', what: 'for' },
        { where: 'do', what: 'do' },
      ]),
    ).toEqual([
      '/use/timeouts: Expected only what this engine carries out but /use has `timeouts`, which it does not yet',
      '/do/0/a/timeout: Expected only what this engine carries out but the `set` task /do/0/a has `timeout`, which it does not yet',
      '/do/1/c/for: Expected only what this engine carries out but the `for` task /do/1/c has `for`, which it does not yet',
    ]);
  });

  it('may be one value of a field', () => {
    const field = { where: 'call', what: 'call' } as const;
    expect(told([{ ...field, is: 'smoke' }])).toEqual([
      '/do/1/c/do/0/d/call: Expected only what this engine carries out but the `call` task /do/1/c/do/0/d has "smoke" as its `call`, which it does not yet',
    ]);
    expect(told([{ ...field, is: 'drum' }])).toEqual([]);
    expect(told([{ ...field, is: /^smo/ }])).toHaveLength(1);
  });

  it('may lie under any name or position', () => {
    expect(told([{ where: 'document', what: 'use.timeouts.*.after' }])).toEqual([expect.stringMatching(/^\/use\/timeouts\/soon\/after: .* \/use\/timeouts\/soon has `after`/)]);
    expect(told([{ where: 'call', what: 'with.signals.*.high' }])).toEqual([expect.stringMatching(/^\/do\/1\/c\/do\/0\/d\/with\/signals\/0\/high: /)]);
  });

  it('is told once, and nothing is listed twice', () => {
    const lines = NOT_YET.map(({ where, what, is }) => `${where} ${what} ${String(is)}`);
    expect(lines).toEqual([...new Set(lines)]);
  });
});
