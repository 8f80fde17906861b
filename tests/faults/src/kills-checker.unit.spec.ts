import { describe, expect, it } from 'vitest';
import { isClean, judge, type KillsInput, type KillsVerdict } from './kills-checker.js';
import type { Receipt } from './receipt-file.js';

const CLEAN: KillsVerdict = {
  executions: 3,
  lost: 0,
  appliedTwice: 0,
  effectsTwice: 0,
  unknown: 0,
  effectsMissing: 0,
  receiptsMalformed: 0,
  orphanTimers: 0,
  unpublished: 0,
  details: [],
};

const receipt = (number: number, more: Partial<Receipt> = {}): Receipt => ({
  receipt: number,
  at: { monotonicNs: String(number), wallMs: number },
  tool: 'send',
  key: `key-${number}`,
  execution: 'e1',
  task: '/do/0/send',
  iteration: '0',
  bodySha256: 'body',
  ...more,
});

/** Three requests that ended well, each with one effect of the idempotent tool `send` and one of the non-idempotent tool `pay`. */
function run(change: (good: KillsInput) => Partial<KillsInput> = () => ({})): KillsInput {
  const ids = [1, 2, 3];
  const good: KillsInput = {
    requests: ids.map((n) => ({ id: `r${n}`, executionId: `e${n}` })),
    results: ids.map((n) => ({ requestId: `r${n}`, status: 'completed' })),
    receipts: ids.flatMap((n) => [receipt(2 * n, { execution: `e${n}` }), receipt(2 * n + 1, { execution: `e${n}`, tool: 'pay', task: '/do/1/pay' })]),
    sql: {
      executions: ids.map((n) => ({ id: `e${n}`, status: 'completed' })),
      resultsApplied: ids.flatMap((n) => [0, 1].map((job) => ({ execution: `e${n}`, job: `e${n}/${job}`, generation: 1, count: 1 }))),
      openTimers: [],
      unpublishedCommits: 0,
    },
    tools: { send: { idempotent: true }, pay: { idempotent: false } },
    effectsPerExecution: { send: 1, pay: 1 },
  };
  return { ...good, ...change(good) };
}

const withReceipts = (...more: Receipt[]): KillsInput => run((good) => ({ receipts: [...good.receipts, ...more] }));
const withExecution =
  (execution: KillsInput['sql']['executions'][number]): ((good: KillsInput) => Partial<KillsInput>) =>
  (good) => ({
    sql: { ...good.sql, executions: [execution, ...good.sql.executions.slice(1)] },
  });

/** Expects exactly this violation and nothing else, and a sentence that matches. */
function expectViolation(input: KillsInput, counts: Partial<KillsVerdict>, sentence: RegExp): void {
  const verdict = judge(input);
  expect(verdict).toEqual({ ...CLEAN, ...counts, details: [expect.stringMatching(sentence)] });
  expect(isClean(verdict)).toBe(false);
}

describe('judge', () => {
  it('finds nothing in a good run', () => {
    expect(judge(run())).toEqual(CLEAN);
    expect(isClean(CLEAN)).toBe(true);
  });

  it('takes a repeated receipt of an idempotent tool under the same key for what it is', () => {
    expect(judge(withReceipts(receipt(9, { key: 'key-2' })))).toEqual(CLEAN);
  });

  it('takes one result delivered several times for one', () => {
    expect(judge(run((good) => ({ results: [...good.results, ...good.results] })))).toEqual(CLEAN);
  });

  it('takes executions that end as faulted or cancelled for ended', () => {
    for (const status of ['faulted', 'cancelled']) {
      const ended = run((good) => ({
        ...withExecution({ id: 'e1', status })(good),
        results: [{ requestId: 'r1', status }, ...good.results.slice(1)],
      }));
      expect(judge(ended)).toEqual(CLEAN);
    }
  });

  it('reports a run that waits for a person to settle an effect as unknown, not as lost', () => {
    const waiting = run((good) => ({
      ...withExecution({ id: 'e1', status: 'waiting', review: 'effect-outcome' })(good),
      results: good.results.slice(1),
    }));
    expect(judge(waiting)).toEqual({ ...CLEAN, unknown: 1 });
  });

  it('leaves another iteration, task, tool or execution its own effect', () => {
    const others = [{ iteration: '1' }, { task: '/do/2/again' }, { tool: 'pay' }].map((more, n) => receipt(20 + n, more));
    expect(judge(withReceipts(...others))).toEqual(CLEAN);
  });

  it('leaves executions whose start was never acked out of the account', () => {
    const unacked = run((good) => ({ sql: { ...good.sql, executions: [...good.sql.executions, { id: 'e4', status: 'running' }] } }));
    expect(judge({ ...unacked, effectsPerExecution: {} })).toEqual(CLEAN);
  });

  it('finds an execution through its result or its request row when the ack did not name it', () => {
    const requests = [{ id: 'r1' }, { id: 'r2' }, { id: 'r3' }];
    expect(judge(run(() => ({ requests })))).toEqual(CLEAN);
    const bySql = run((good) => ({ requests, ...withExecution({ id: 'e1', status: 'running', requestId: 'r1' })(good) }));
    expect(judge({ ...bySql, effectsPerExecution: {} })).toMatchObject({ lost: 1 });
    const byResult = run((good) => ({ requests, results: [{ requestId: 'r1', status: 'completed', executionId: 'gone' }, ...good.results.slice(1)] }));
    expect(judge(byResult)).toMatchObject({ lost: 1, details: [expect.stringContaining('not in the database')] });
  });
});

describe('judge finds a planted loss', () => {
  const oneWaiting = (review?: string) => run(withExecution({ id: 'e1', status: 'waiting', ...(review && { review }) }));

  it('an execution that is not over', () => {
    expectViolation(oneWaiting(), { lost: 1 }, /^Request r1: execution e1 is waiting and not over$/);
    expectViolation(oneWaiting('approval'), { lost: 1 }, /review approval/);
  });

  it('an execution that the database does not know', () => {
    const verdict = judge(run((good) => ({ sql: { ...good.sql, executions: good.sql.executions.slice(1) } })));
    expect(verdict).toMatchObject({ lost: 1, receiptsMalformed: 2 });
    expect(verdict.details).toContainEqual(expect.stringContaining('Request r1 was acked with execution e1, which is not in the database'));
  });

  it('a request without a result event', () => {
    expectViolation(
      run((good) => ({ results: good.results.slice(1) })),
      { lost: 1 },
      /^Request r1: .* no result event was seen$/,
    );
  });

  it('a request without an execution and without a result', () => {
    expectViolation(
      run((good) => ({ requests: [...good.requests, { id: 'r4' }] })),
      { executions: 4, lost: 1 },
      /^Request r4 was acked, but/,
    );
  });

  it('a request with two different results', () => {
    const other = (more: object) => run((good) => ({ results: [...good.results, { requestId: 'r1', status: 'completed', ...more }] }));
    expectViolation(other({ status: 'faulted' }), { lost: 1 }, /^Request r1 got 2 different results/);
    expectViolation(other({ outputSha256: 'abc' }), { lost: 1 }, /^Request r1 got 2 different results/);
  });

  it('a result that contradicts the database', () => {
    expectViolation(
      run((good) => ({ results: [{ requestId: 'r1', status: 'faulted' }, ...good.results.slice(1)] })),
      { lost: 1 },
      /says faulted, but execution e1 is completed/,
    );
  });

  it('a request that was started twice', () => {
    expectViolation(
      run((good) => ({ requests: [...good.requests, { id: 'r1', executionId: 'e9' }] })),
      { lost: 1 },
      /^Request r1 has 2 executions: e1, e9$/,
    );
  });

  it('two requests that share one execution', () => {
    const shared = run((good) => ({ requests: [...good.requests, { id: 'r4', executionId: 'e1' }] }));
    expectViolation(shared, { executions: 4, lost: 1 }, /^Request r4 shares execution e1 with request r1$/);
  });
});

describe('judge finds planted doubles', () => {
  it('a result applied twice, in one row or in two', () => {
    const applied = { execution: 'e1', job: 'e1/0', generation: 1, count: 1 };
    const plant = (row: typeof applied) => run((good) => ({ sql: { ...good.sql, resultsApplied: [...good.sql.resultsApplied, row] } }));
    expectViolation(plant(applied), { appliedTwice: 1 }, /^Execution e1: 2 results applied for job e1\/0, generation 1$/);
    expectViolation(plant({ ...applied, job: 'e1/9', count: 3 }), { appliedTwice: 1 }, /3 results/);
    expect(judge(plant({ ...applied, generation: 2 }))).toEqual(CLEAN);
  });

  it('two keys for one effect of an idempotent tool', () => {
    expectViolation(withReceipts(receipt(9)), { effectsTwice: 1 }, /^Effect done under 2 keys: send for execution e1, .* \(key-2 and key-9; receipts 2, 9\)$/);
  });

  it('a repeated receipt of a non-idempotent tool, even under the same key', () => {
    const repeated = withReceipts(receipt(9, { tool: 'pay', task: '/do/1/pay', key: 'key-3' }));
    expectViolation(repeated, { effectsTwice: 1 }, /^Effect done 2 times: pay for execution e1, .* \(receipts 3, 9\)$/);
  });

  it('a repeated receipt of a tool that nobody declared', () => {
    expect(judge({ ...withReceipts(receipt(9, { key: 'key-2' })), tools: {} })).toMatchObject({ effectsTwice: 1 });
  });

  it('effects sent without a key, once or repeated', () => {
    const one = receipt(9, { task: '/do/7', key: null });
    expectViolation(withReceipts(one), { receiptsMalformed: 1 }, /^Receipt 9 of send has no idempotency key$/);
    expect(judge(withReceipts(one, { ...one, receipt: 10 }))).toMatchObject({ effectsTwice: 1, receiptsMalformed: 2 });
  });

  it('one key used for two bodies', () => {
    expectViolation(withReceipts(receipt(9, { key: 'key-2', bodySha256: 'other' })), { receiptsMalformed: 1 }, /^Receipt 9 of send has another body .* key-2$/);
  });
});

describe('judge finds what else is left over or missing', () => {
  it('a receipt that nobody can attribute', () => {
    for (const field of ['execution', 'task', 'iteration']) {
      expectViolation(withReceipts(receipt(9, { [field]: null })), { receiptsMalformed: 1 }, /^Receipt 9 of send does not say/);
    }
  });

  it('an effect of an execution that the database does not know', () => {
    expectViolation(withReceipts(receipt(9, { execution: 'e9' })), { receiptsMalformed: 1 }, /names execution e9/);
  });

  it('a completed execution whose effect never happened', () => {
    const missing = run((good) => ({ receipts: good.receipts.slice(1) }));
    expectViolation(missing, { effectsMissing: 1 }, /^Execution e1 completed with 0 of 1 effects of send$/);
  });

  it('timers of executions that are over or absent, and no others', () => {
    const timers = (execution: string, status: string) =>
      run((good) => ({
        sql: { ...good.sql, executions: [...good.sql.executions, { id: 'e4', status, review: 'effect-outcome' }], openTimers: [{ execution, timer: 't1' }] },
      }));
    expectViolation(timers('e1', 'waiting'), { orphanTimers: 1, unknown: 1 }, /^Timer t1 of execution e1 /);
    expectViolation(timers('e9', 'waiting'), { orphanTimers: 1, unknown: 1 }, /^Timer t1 of execution e9 /);
    expect(judge(timers('e4', 'waiting'))).toEqual({ ...CLEAN, unknown: 1 });
  });

  it('commits that were never published', () => {
    expectViolation(
      run((good) => ({ sql: { ...good.sql, unpublishedCommits: 2 } })),
      { unpublished: 2 },
      /but 2 are not$/,
    );
  });

  it('keeps at most 20 sentences, some of every kind', () => {
    const many = Array.from({ length: 50 }, (_, n) => ({ id: `lost-${n}` }));
    const verdict = judge({ ...withReceipts(receipt(9)), requests: many });
    expect(verdict).toMatchObject({ lost: 50, effectsTwice: 1 });
    expect(verdict.details).toHaveLength(20);
    expect(verdict.details[1]).toContain('2 keys');
  });
});
