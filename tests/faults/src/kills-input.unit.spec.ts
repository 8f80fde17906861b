import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseKillsInput } from './kills-input.js';

const INPUT = {
  requests: [{ id: 'r1', executionId: 'e1' }],
  sql: {
    executions: [{ id: 'e1', status: 'completed' }],
    history: [{ execution: 'e1', sequence: 0, commit: 'c1', atMs: 1, events: [{ type: 'ExecutionStarted' }, { type: 'ExecutionCompleted' }] }],
    waits: [],
    commits: [{ service: 'orchestration', id: 'c1', published: true, members: '[["e1",0]]' }],
    leaves: [{ service: 'orchestration', commit: 'c1' }],
    redeliveries: 0,
  },
  tools: { send: { idempotent: true } },
};
const RECEIPT = { receipt: 1, at: { monotonicNs: '1', wallMs: 1 }, tool: 'send', key: 'k', execution: 'e1', task: 't', iteration: '0', bodySha256: '' };
const RESULT = { requestId: 'r1', status: 'completed' };
const files = (input: object = INPUT, results = `${JSON.stringify(RESULT)}\n`) => ({ input: JSON.stringify(input), results, receipts: `${JSON.stringify(RECEIPT)}\n` });

describe('parseKillsInput', () => {
  it('puts the three files together', () => {
    expect(parseKillsInput(files())).toEqual({ ...INPUT, results: [RESULT], receipts: [RECEIPT] });
  });

  it('leaves out a torn last line of the results, and keeps a whole one without its end', () => {
    const line = JSON.stringify(RESULT);
    expect(parseKillsInput(files(INPUT, `${line}\n{"reque`)).results).toEqual([RESULT]);
    expect(parseKillsInput(files(INPUT, `${line}\n${line}`)).results).toEqual([RESULT, RESULT]);
  });

  it('refuses what it could not judge, and says where', () => {
    const refusals: [object, string][] = [
      [{ ...INPUT, requests: [] }, 'at least one acked request at /requests'],
      [{ ...INPUT, tools: {} }, 'at least one tool at /tools'],
      [{ ...INPUT, tools: { send: {} } }, 'true or false at /tools/send/idempotent'],
      [{ ...INPUT, requests: [{ id: 7 }] }, 'a string at /requests/0/id, but got 7'],
      [{ ...INPUT, sql: { ...INPUT.sql, redeliveries: '0' } }, 'an integer >= 0 at /sql/redeliveries, but got "0"'],
      [{ ...INPUT, sql: { ...INPUT.sql, waits: undefined } }, 'a list at /sql/waits'],
      [{ ...INPUT, sql: { ...INPUT.sql, history: [{ ...INPUT.sql.history[0], sequence: '0' }] } }, 'a number at /sql/history/0/sequence'],
      [{ ...INPUT, sql: { ...INPUT.sql, history: [{ ...INPUT.sql.history[0], events: '[]' }] } }, 'a list at /sql/history/0/events'],
      [{ ...INPUT, effectsPerExecution: { send: -1 } }, '/effectsPerExecution/send'],
    ];
    for (const [input, sentence] of refusals) expect(() => parseKillsInput(files(input))).toThrow(sentence);
    expect(() => parseKillsInput(files(INPUT, 'no json\n{}'))).toThrow('Expected line 1 of the results to be JSON');
  });
});

describe('kills-checker.main', () => {
  const MAIN = fileURLToPath(new URL('../dist/kills-checker.main.js', import.meta.url));
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weft-judge-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (input: object) => {
    const path = (name: string) => join(folder, name);
    const texts = files(input);
    for (const [name, text] of Object.entries(texts)) writeFileSync(path(name), text);
    return spawnSync(process.execPath, [MAIN, '--input', path('input'), '--results', path('results'), '--receipts', path('receipts')], { encoding: 'utf8' });
  };

  it('prints the verdict as one line and exits 0 when clean, 1 on a violation, 2 when it cannot judge', () => {
    const clean = run(INPUT);
    expect([clean.status, clean.stdout.split('\n').length, clean.stderr]).toEqual([0, 2, '']);
    expect(JSON.parse(clean.stdout)).toMatchObject({ executions: 1, lost: 0, details: [] });
    const bad = run({ ...INPUT, sql: { ...INPUT.sql, commits: [{ ...INPUT.sql.commits[0], published: false }] } });
    expect([bad.status, JSON.parse(bad.stdout)]).toMatchObject([1, { unpublished: 1 }]);
    const blind = run({ ...INPUT, requests: [] });
    expect([blind.status, blind.stdout, blind.stderr]).toEqual([2, '', expect.stringContaining('at least one acked request')]);
  });
});
