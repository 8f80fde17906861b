import { describe, expect, it } from 'vitest';
import type { HistoryEvent, HistoryRow } from './history-fold.js';
import { isClean, judge, type ExecutionSeen, type KillsInput, type KillsVerdict, type SqlSeen } from './kills-checker.js';
import type { Receipt } from './receipt-file.js';

const CLEAN: KillsVerdict = {
  executions: 3,
  lost: 0,
  appliedTwice: 0,
  effectsTwice: 0,
  unknown: 0,
  effectsMissing: 0,
  startsMissing: 0,
  startsTwice: 0,
  receiptsMalformed: 0,
  orphanTimers: 0,
  timersWrong: 0,
  historyBroken: 0,
  statusWrong: 0,
  unpublished: 0,
  undelivered: 0,
  auditWrong: 0,
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
  face: 'http',
  fault: null,
  bodySha256: 'body',
  ...more,
});

const row = (execution: string, sequence: number, ...events: HistoryEvent[]): HistoryRow => ({ execution, sequence, commit: `c-${execution}-${sequence}`, atMs: 1_000 + sequence, events });
const job = (execution: string) => ({ job: `${execution}/0`, generation: 1 });
const started = (execution: string) => row(execution, 0, { type: 'ExecutionStarted' }, { type: 'JobScheduled', ...job(execution) });
const worked = (execution: string) => row(execution, 1, { type: 'JobCompleted', ...job(execution) }, { type: 'TimerSet', timer: 't1', due: 1_002 });
const ended = (execution: string, type = 'ExecutionCompleted') => row(execution, 2, { type: 'TimerFired', timer: 't1' }, { type });

const STATUSES: Readonly<Record<string, string>> = { ExecutionCompleted: 'completed', ExecutionFaulted: 'faulted', ExecutionCancelled: 'cancelled' };

/** What the database holds when these are its histories. */
function stored(history: readonly HistoryRow[]): SqlSeen {
  const ids = [...new Set(history.map(({ execution }) => execution))];
  const commits = history.map(({ execution, sequence, commit }) => ({ service: 'orchestration', id: commit, published: true, members: JSON.stringify([[execution, sequence]]) }));
  return {
    executions: ids.map((id) => ({ id, status: history.flatMap(({ execution, events }) => (execution === id ? events.flatMap(({ type }) => STATUSES[type] ?? []) : []))[0] ?? 'running' })),
    history,
    waits: [],
    commits,
    leaves: commits.map(({ service, id }) => ({ service, commit: id })),
    redeliveries: 0,
  };
}

/** The good run with other histories. */
const withHistory = (change: (rows: readonly HistoryRow[]) => readonly HistoryRow[]): KillsInput => run((good) => ({ sql: { ...stored(change(good.sql.history)), executions: good.sql.executions } }));
const withSql = (change: (sql: SqlSeen) => Partial<SqlSeen>): KillsInput => run((good) => ({ sql: { ...good.sql, ...change(good.sql) } }));
/** Executions that are still under way, each with a history that says so. */
const alsoRunning = (sql: SqlSeen, execution: ExecutionSeen, ...more: HistoryEvent[]): SqlSeen => {
  const with4 = stored([...sql.history, row(execution.id, 0, { type: 'ExecutionStarted' }, ...more)]);
  return { ...with4, executions: [...sql.executions, execution] };
};

/** Three requests that ended well, each with one effect of the idempotent tool `send` and one of the non-idempotent tool `pay`. */
function run(change: (good: KillsInput) => Partial<KillsInput> = () => ({})): KillsInput {
  const ids = [1, 2, 3];
  const good: KillsInput = {
    requests: ids.map((n) => ({ id: `r${n}`, executionId: `e${n}` })),
    results: ids.map((n) => ({ requestId: `r${n}`, status: 'completed' })),
    receipts: ids.flatMap((n) => [receipt(2 * n, { execution: `e${n}` }), receipt(2 * n + 1, { execution: `e${n}`, tool: 'pay', task: '/do/1/pay' })]),
    sql: stored(ids.flatMap((n) => [started(`e${n}`), worked(`e${n}`), ended(`e${n}`)])),
    tools: { send: { idempotent: true }, pay: { idempotent: false } },
    effectsPerExecution: { send: 1, pay: 1 },
  };
  return { ...good, ...change(good) };
}

const withReceipts = (...more: Receipt[]): KillsInput => run((good) => ({ receipts: [...good.receipts, ...more] }));
const TYPE_OF: Readonly<Record<string, string>> = { completed: 'ExecutionCompleted', faulted: 'ExecutionFaulted', cancelled: 'ExecutionCancelled' };
const withExecution =
  (execution: ExecutionSeen): ((good: KillsInput) => Partial<KillsInput>) =>
  (good) => {
    const end = TYPE_OF[execution.status];
    const history = [...good.sql.history.filter((one) => one.execution !== execution.id || one.sequence < 2), ...(end === undefined ? [] : [ended(execution.id, end)])];
    return { sql: { ...stored(history), executions: [execution, ...good.sql.executions.slice(1)] } };
  };

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
    const unacked = run((good) => ({ sql: alsoRunning(good.sql, { id: 'e4', status: 'running' }) }));
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
    const verdict = judge(withSql((sql) => stored(sql.history.filter(({ execution }) => execution !== 'e1'))));
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
    const applied = { type: 'JobCompleted', ...job('e1') };
    const plant = (at: number, ...events: HistoryEvent[]) => withHistory((rows) => rows.map((each, index) => (index === at ? { ...each, events: [...events, ...each.events] } : each)));
    expectViolation(plant(1, applied), { appliedTwice: 1 }, /^Execution e1: 2 results applied for job e1\/0, generation 1$/);
    expectViolation(plant(2, applied, applied), { appliedTwice: 1 }, /3 results/);
    expect(judge(plant(2, { ...applied, type: 'JobScheduled', generation: 2 }, { ...applied, generation: 2 }))).toEqual(CLEAN);
  });

  it('and none in a job that was scheduled again, as in a retried try', () => {
    const again = (...events: HistoryEvent[]) => withHistory((rows) => rows.map((each, index) => (index === 2 ? { ...each, events: [...events, ...each.events] } : each)));
    const [scheduled, applied] = [
      { type: 'JobScheduled', ...job('e1') },
      { type: 'JobCompleted', ...job('e1') },
    ];
    expect(judge(again(scheduled, applied))).toEqual(CLEAN);
    expectViolation(again(scheduled, applied, applied), { appliedTwice: 1 }, /2 results/);
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

  it('wake-ups of executions that are over or absent, timers that have fired, and no others', () => {
    const waiting = { id: 'e4', status: 'waiting', review: 'effect-outcome' };
    const timers = (execution: string, kind = 'timer', id = 't9') =>
      run((good) => ({ sql: { ...alsoRunning(good.sql, waiting, { type: 'TimerSet', timer: 't9', due: 9_000 }), waits: [{ execution, id, kind }] } }));
    expectViolation(timers('e1'), { orphanTimers: 1, unknown: 1 }, /^Expected nothing to wake execution e1, .* but timer t9 is set$/);
    expectViolation(timers('e9', 'job'), { orphanTimers: 1, unknown: 1 }, /execution e9, .* but job t9/);
    expectViolation(timers('e4', 'timer', 't8'), { orphanTimers: 1, unknown: 1 }, /^Timer t8 of execution e4 is set, but by its history it is not open$/);
    expect(judge(timers('e4'))).toEqual({ ...CLEAN, unknown: 1 });
  });

  it('commits that were never published', () => {
    expectViolation(
      withSql(({ commits }) => ({ commits: commits.map((commit, index) => (index < 2 ? { ...commit, published: false } : commit)) })),
      { unpublished: 2 },
      /but 2 are not$/,
    );
  });

  it('starts that nobody has heard of', () => {
    expectViolation(
      withSql(() => ({ redeliveries: 1 })),
      { undelivered: 1 },
      /but 1 would be delivered again$/,
    );
  });

  it('commits that are not in the audit log, that are there twice, and leaves of none', () => {
    expectViolation(
      withSql(({ leaves }) => ({ leaves: leaves.slice(1) })),
      { auditWrong: 1 },
      /^Commit c-e1-0 of orchestration is 0 times/,
    );
    expectViolation(
      withSql(({ leaves }) => ({ leaves: [...leaves, leaves[0]!] })),
      { auditWrong: 1 },
      /^Commit c-e1-0 of orchestration is 2 times/,
    );
    expectViolation(
      withSql(({ leaves }) => ({ leaves: [...leaves, { service: 'tools', commit: 'c-e1-0' }] })),
      { auditWrong: 1 },
      /holds commit c-e1-0 of tools, which is not there$/,
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

describe('judge folds the histories itself and finds', () => {
  it('a gap, and a row that is there twice', () => {
    expectViolation(
      withHistory((rows) => rows.filter((_, index) => index !== 1).map((each, index) => (index === 1 ? { ...each, events: each.events.slice(1) } : each))),
      { historyBroken: 1 },
      /^Execution e1: expected history row 1, but the next is 2$/,
    );
    expectViolation(
      withSql(({ history }) => ({ history: [...history, { ...history[1]!, events: [] }] })),
      { historyBroken: 1 },
      /^Execution e1: expected history row 2, but the next is 1$/,
    );
  });

  it('an execution without a history, and a history without an execution', () => {
    expectViolation(
      withSql(({ executions }) => ({ executions: [...executions, { id: 'e4', status: 'running' }] })),
      { historyBroken: 1 },
      /^Execution e4 has no history$/,
    );
    expectViolation(
      run((good) => ({ sql: { ...alsoRunning(good.sql, { id: 'e4', status: 'running' }), executions: good.sql.executions } })),
      { historyBroken: 1 },
      /^There is a history of execution e4/,
    );
  });

  it('a row that its commit does not hold, and one that a commit holds and that is gone', () => {
    expectViolation(
      withSql(({ commits }) => ({ commits: commits.map((commit, index) => (index === 2 ? { ...commit, members: '[]' } : commit)) })),
      { historyBroken: 1 },
      /^Row 2 of execution e1 is not held by its commit c-e1-2$/,
    );
    expectViolation(
      withSql(({ commits }) => ({ commits: commits.map((commit, index) => (index === 2 ? { ...commit, members: '[["e1",2],["e1",3]]' } : commit)) })),
      { historyBroken: 1 },
      /^Commit c-e1-2 holds row e1\/3, which is not there$/,
    );
  });

  it('another status than the row says, events after the end, and results of no job', () => {
    expect(judge(withHistory((rows) => rows.map((each, index) => (index === 2 ? ended('e1', 'ExecutionFaulted') : each))))).toMatchObject({
      statusWrong: 1,
      details: ['Execution e1 is completed, but faulted by its history'],
    });
    const more = (...events: HistoryEvent[]) => withHistory((rows) => [...rows, row('e1', 3, ...events)]);
    expectViolation(more({ type: 'TaskEntered' }), { statusWrong: 1 }, /row 3: TaskEntered after the execution was completed$/);
    expectViolation(
      withHistory((rows) => rows.map((each, index) => (index === 0 ? { ...each, events: each.events.slice(0, 1) } : each))),
      { statusWrong: 1 },
      /row 1: a result of job e1\/0, generation 1, which was not scheduled$/,
    );
  });

  it('timers that fired twice, early, or without having been set', () => {
    const at2 = (change: (each: HistoryRow) => HistoryRow) => withHistory((rows) => rows.map((each, index) => (index === 2 ? change(each) : each)));
    const fired = (timer: string) => ({ type: 'TimerFired', timer });
    expectViolation(
      at2((each) => ({ ...each, events: [fired('t1'), ...each.events] })),
      { timersWrong: 1 },
      /timer t1 fired twice$/,
    );
    expectViolation(
      at2((each) => ({ ...each, events: [fired('t2'), ...each.events] })),
      { timersWrong: 1 },
      /timer t2 fired without having been set$/,
    );
    expectViolation(
      at2((each) => ({ ...each, atMs: 1_000 })),
      { timersWrong: 1 },
      /timer t1 fired 2 ms before it was due$/,
    );
  });
});
