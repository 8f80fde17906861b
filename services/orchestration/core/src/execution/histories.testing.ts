// Executions whose histories are kept: what each is asked, in order. New ones go at the end; a name once recorded stays.
import { invariant, type Json } from '@weft/kernel';
import { decidedBy, running, type Running } from '../interpreter/running.testing.js';
import { CHILD_HISTORIES } from '../child/child-histories.testing.js';
import type { CommandOf } from './execution.commands.js';
import { forkPointOf } from './fork-point.js';
import { releaseWith } from '../upgrade/engine-flags.js';
import type { Operation } from './operation.js';
import { LISTENING_HISTORIES } from './histories.listening.testing.js';

const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });
const LOST: CommandOf<'FailJob'>['failure'] = { code: 'effect-unknown', message: 'The answer was lost.', retryable: false };
const UNAVAILABLE: CommandOf<'FailJob'>['failure'] = { code: 'http-status', message: 'Expected status 2xx but got 503.', retryable: true, details: { status: 503 } };

function failJob(run: Running, key: string, more: Partial<CommandOf<'FailJob'>>): void {
  const job = run.state.jobs[run.jobId(key)];
  invariant(job, `a job of ${key} is outstanding`);
  run.accept({ type: 'FailJob', job: job.id, generation: job.generation, attempt: job.attempt, failure: LOST, outcome: 'none', needsPerson: false, platform: false, ...more });
}

function decideReview(run: Running, outcome: string, form: Json): void {
  const [review] = Object.values(run.state.reviews);
  invariant(review, 'a review is open');
  run.accept({ type: 'DecideReview', tenant: 'default', review: review.id, outcome, comment: 'as agreed', form, decidedBy: 'user:eva' });
}

function operate(run: Running, operation: Operation, more: Partial<CommandOf<'OperateExecution'>> = {}): void {
  run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: `${operation}-1`, by: 'key:k1', reason: `to ${operation} it`, ...more });
}

function changeOfReview(run: Running, change: CommandOf<'ChangeReview'>['change'], more: Partial<CommandOf<'ChangeReview'>>): void {
  const [review] = Object.keys(run.state.reviews);
  run.accept({ type: 'ChangeReview', tenant: 'default', review: review!, change, by: '', roles: [], leaseMs: 0, to: '', text: '', ...more });
}

/** A payment that a person is asked to approve. */
function askedToPay(): Running {
  const run = running({ do: [{ pay: { call: 'tool', with: { name: 'pay', arguments: { amount: 5 } } } }] }, {}).start();
  const approvalRequest = { digest: 'a'.repeat(64), title: 'Pay 5?', subject: { tool: 'pay', arguments: { amount: 5 }, context: { taint: ['web'] } }, reasons: ['untrusted input'] };
  failJob(run, '/do/0/pay', { failure: { code: 'approval-required', message: 'Expected an approval.', retryable: false }, approvalRequest });
  return run;
}

const CANCELLED = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';
const compensated = (name: string, tasks: readonly object[], handler: readonly object[]): object => ({
  [name]: { try: tasks, catch: { errors: { with: { type: CANCELLED } }, as: 'cancel', do: handler } },
});
const FORK_ID = '00000000-0000-7000-8000-000000000002';

/** A chain of two jobs that faulted at its second, forked from there. @returns the execution that was forked, and the new one. */
function forked(operation: 'fork' | 'reset'): readonly [Running, Running] {
  const run = running({ do: [http('a', { export: { as: '{ seen: . }' } }), http('b')] }, {}).start();
  run.complete('/do/0/a', { n: 1 });
  if (operation === 'fork') failJob(run, '/do/1/b', { failure: UNAVAILABLE, outcome: 'failed' });
  const rows = run.rows.map((events, sequence) => ({ sequence, events }));
  const reading = forkPointOf(rows, 'b');
  invariant(reading.ok, 'the task was entered');
  operate(run, operation, { fork: { ...reading.point, execution: FORK_ID } });
  const fork = run.sibling(FORK_ID);
  const events = rows.slice(0, reading.point.version + 1).flatMap((row) => row.events);
  const from = { execution: run.state.executionId, ...reading.point, operation: `${operation}-1`, kind: operation, by: 'key:k1' };
  fork.accept({ type: 'BeginFork', executionId: FORK_ID, from, reason: `to ${operation} it`, events });
  return [run, fork];
}

const WORK = '/do/0/work';
const agent = (more: object = {}): object => ({ work: { call: 'agent', with: { instructions: 'Find it.', prompt: '${ . }', tools: ['look', 'send-*'], ...more } } });
const asking = (...calls: readonly (readonly [string, Json])[]): Json => ({
  content: null,
  toolCalls: calls.map(([name, given], at) => ({ id: `m${at}`, name, arguments: given })),
  finishReason: 'tool_calls',
});

function takeTurn(run: Running, key: string, output: Json): void {
  const usage = { inputTokens: 40, outputTokens: 10, moneyMicros: 120, calls: 1, estimated: false };
  run.accept({ type: 'CompleteJob', job: run.jobId(`${WORK}#${key}`), generation: 0, output, evidence: { candidate: 'small' }, taint: ['model:small'], usage });
}

/** By name: an execution run to where its history is to be kept. */
export const HISTORIES: Readonly<Record<string, () => Running>> = {
  'chain-of-jobs': () => {
    const run = running(
      { do: [http('a', { export: { as: '{ seen: . }' } }), http('b', { input: { from: '{ before: . }' }, output: { as: '{ last: . }' } })], output: { as: '{ result: .last, seen: $context.seen }' } },
      { text: 'ünï 🧵' },
    ).start();
    run.accept({ type: 'CompleteJob', job: run.jobId('/do/0/a'), generation: 0, output: { n: 1 }, evidence: { status: 200 }, taint: ['web'] });
    run.complete('/do/1/b', { n: 2 });
    return run;
  },
  'switch-and-jump-back': () => {
    const again = { choose: { switch: [{ more: { when: '.n < 3', then: 'count' } }, { done: { then: 'end' } }] } };
    const run = running({ do: [http('count'), again] }, {}).start();
    for (const [iteration, n] of [
      ['', 1],
      ['#1.count:1', 2],
      ['#1.count:2', 3],
    ] as const)
      run.complete(`/do/0/count${iteration}`, { n });
    return run;
  },
  'retry-then-catch': () => {
    const clause = {
      errors: {},
      as: 'problem',
      retry: { delay: { seconds: 2 }, backoff: { exponential: {} }, limit: { attempt: { count: 2 } } },
      do: [{ fallback: { set: { status: '${ $problem.status }' } } }],
    };
    const run = running({ do: [{ guarded: { try: [http('call')], catch: clause } }, http('after')] }, {}).start();
    for (let attempt = 0; attempt < 3; attempt++) {
      failJob(run, '/do/0/guarded/try/0/call', { failure: UNAVAILABLE, outcome: 'failed' });
      if (attempt < 2) run.fireTimer();
    }
    return run;
  },
  'timer-and-event': () => {
    const run = running(
      {
        do: [
          { pause: { wait: { seconds: 5 } } },
          { tell: { emit: { event: { with: { type: 'com.example.told.v1', source: 'https://example.test', data: { n: '${ .n }' } } } } } },
          { skipped: { if: 'false', set: {} } },
        ],
      },
      { n: 3 },
    ).start();
    run.fireTimer();
    return run;
  },
  'approval-that-waits': () => running({ do: [{ ask: { call: 'review', with: { title: 'Refund?', subject: { amount: '${ .amount }' } } } }, http('pay')] }, { amount: 900 }).start(),
  'approval-that-was-given': () => {
    const run = running({ do: [{ ask: { call: 'review', with: { title: 'Refund?', subject: { amount: '${ .amount }' } } } }, { done: { set: { by: '${ .decidedBy }' } } }] }, { amount: 900 }).start();
    decideReview(run, 'approved', { reason: 'loyal' });
    return run;
  },
  'effect-that-a-person-settles': () => {
    const run = running({ do: [http('pay'), http('thank')] }, {}).start();
    failJob(run, '/do/0/pay', { outcome: 'unknown', needsPerson: true });
    decideReview(run, 'happened', { receipt: 'r-7' });
    run.complete('/do/0/pay', { receipt: 'r-7' });
    return run;
  },
  'attempt-that-the-platform-lost': () => {
    const run = running({ do: [http('call')] }, {}).start();
    failJob(run, '/do/0/call', { platform: true });
    return run;
  },
  'error-that-nobody-caught': () => {
    const run = running({ do: [{ outer: { do: [{ boom: { raise: { error: { type: 'https://example.test/errors/boom', status: 418, title: 'Boom' } } } }] } }] }, {}).start();
    return run;
  },
  'fork-that-joins': () => {
    const branches = [
      http('a', { export: { as: '$context + { a: . }' } }),
      { b: { if: '.never', set: { x: 1 } } },
      { c: { do: [http('d', { export: { as: '{ d: . }' } }), { e: { wait: { hours: 1 } } }] } },
    ];
    const run = running({ do: [{ both: { fork: { branches } } }, { seen: { set: '${ $context }' } }] }, { n: 1 }).start();
    run.complete('/do/0/both/fork/branches/2/c/do/0/d', { n: 3 });
    run.complete('/do/0/both/fork/branches/0/a', { n: 2 });
    run.fireTimer();
    return run;
  },
  'fork-that-goes-on': () => {
    const run = running({ do: [{ both: { fork: { branches: [http('a', { export: { as: '{ a: . }' } }), http('b')] } } }] }, {}).start();
    run.complete('/do/0/both/fork/branches/0/a', { n: 2 });
    return run;
  },
  'branches-that-compete': () => {
    const run = running({ do: [{ race: { fork: { compete: true, branches: [http('a'), http('b'), { c: { wait: { hours: 1 } } }] } } }, http('after')] }, {}).start();
    failJob(run, '/do/0/race/fork/branches/0/a', { failure: UNAVAILABLE });
    run.complete('/do/0/race/fork/branches/1/b', { n: 1 });
    return run;
  },
  'loop-in-its-second-pass': () => {
    const run = running(
      { do: [{ each: { for: { each: 'pet', in: '.pets', at: 'n' }, while: '$n < 5', do: [http('call', { input: { from: '{ pet: $pet, before: . }' } })] } }] },
      { pets: ['cat', 'dog'] },
    ).start();
    run.complete('/do/0/each/do/0/call#2[0]', { n: 1 });
    return run;
  },
  'listens-with-an-early-event': () => {
    const paid = { one: { with: { type: 'com.example.paid.v1' }, correlate: { order: { from: '.data.order', expect: '${ .order }' } } } };
    const run = running({ do: [http('first'), { paid: { listen: { to: paid, read: 'envelope' } } }, { next: { listen: { to: { one: { with: { subject: 's' } } } } } }] }, {}).start();
    run.signal({ id: 'e1', data: { order: 'o1', amount: 5 } });
    run.signal({ id: 'e2', type: 'com.example.other.v1', data: 'kept' });
    run.complete('/do/0/first', { order: 'o1' });
    return run;
  },
  'listen-that-was-answered': () => {
    const run = running({ do: [{ paid: { listen: { to: { one: { with: { type: 'com.example.paid.v1', data: '${ .amount > 3 }' } } } } } }, { done: { set: { got: '${ .[0] }' } } }] }, {}).start();
    run.signal({ id: 'e1', data: { amount: 5 } });
    return run;
  },
  'cancel-that-two-handlers-take': () => {
    const run = running(
      {
        do: [
          compensated(
            'outer',
            [compensated('inner', [http('work'), { rest: { wait: { hours: 1 } } }], [http('undo', { with: { method: 'post', endpoint: 'https://example.test', body: '${ $cancel }' } })])],
            [{ note: { set: { by: '${ $cancel.detail }' } } }],
          ),
        ],
      },
      {},
    ).start();
    run.complete('/do/0/outer/try/0/inner/try/0/work', { n: 1 });
    operate(run, 'cancel');
    run.complete('/do/0/outer/try/0/inner/catch/do/0/undo', { undone: true });
    return run;
  },
  'cancel-whose-handler-fails': () => {
    const run = running({ do: [compensated('guard', [http('work')], [http('undo')])] }, {}).start();
    operate(run, 'cancel');
    failJob(run, '/do/0/guard/catch/do/0/undo', { failure: UNAVAILABLE, outcome: 'failed' });
    return run;
  },
  'cancel-under-way': () => {
    const run = running({ do: [compensated('guard', [{ ask: { call: 'review', with: { title: 'Send it?' } } }], [http('undo')])] }, {}).start();
    operate(run, 'cancel', { reason: '' });
    return run;
  },
  terminated: () => {
    const run = running({ do: [compensated('guard', [http('work')], [http('undo')])] }, {}).start();
    operate(run, 'terminate');
    return run;
  },
  'suspended-with-a-held-result': () => {
    const run = running({ do: [http('a'), http('b')] }, {}).start();
    operate(run, 'pause');
    run.complete('/do/0/a', { n: 1 });
    return run;
  },
  'suspended-and-resumed': () => {
    const run = running({ do: [{ guard: { try: [{ ask: { call: 'review', with: { title: 'Send it?' } } }, http('send')], catch: { errors: {}, do: [http('instead')] } } }] }, {}).start();
    operate(run, 'pause');
    decideReview(run, 'approved', null);
    operate(run, 'resume');
    operate(run, 'pause', { id: 'pause-2', reason: '' });
    failJob(run, '/do/0/guard/try/1/send', { failure: UNAVAILABLE, outcome: 'failed' });
    operate(run, 'resume', { id: 'resume-2', reason: '' });
    return run;
  },
  'retried-after-a-fault': () => {
    const run = running({ do: [http('a'), http('b')] }, {}).start();
    run.complete('/do/0/a', { n: 1 });
    failJob(run, '/do/1/b', { failure: UNAVAILABLE, outcome: 'failed' });
    operate(run, 'retry');
    return run;
  },
  'faulted-and-forked': () => forked('fork')[0],
  'fork-of-a-faulted-one': () => forked('fork')[1],
  'reset-while-it-ran': () => forked('reset')[0],
  'review-that-two-approve': () => {
    const run = running(
      { do: [{ ask: { call: 'review', with: { title: 'Refund?', subject: { amount: '${ .amount }' }, assignees: ['user:ann'], approvals: 2, form: { type: 'object' } } } }] },
      { amount: 900 },
    ).start();
    changeOfReview(run, 'claim', { by: 'user:ann', leaseMs: 60_000 });
    changeOfReview(run, 'comment', { by: 'user:bob', text: 'Why?' });
    changeOfReview(run, 'delegate', { by: 'user:ann', to: 'role:heads', text: 'I am away.' });
    const [review] = Object.keys(run.state.reviews);
    const decided = { type: 'DecideReview', tenant: 'default', review: review!, outcome: 'approved', comment: 'as agreed', form: {} } as const;
    run.accept({ ...decided, decidedBy: 'user:eva', roles: ['heads'] });
    run.accept({ ...decided, decidedBy: 'user:ann' });
    return run;
  },
  'review-that-is-late': () => {
    const asked = { title: 'Refund?', subject: 1, assignees: ['user:ann'], due: 'PT1H', remindAfter: 'PT30M', escalate: [{ after: 'PT2H', to: ['role:heads'] }], expires: 'PT9H' };
    const run = running({ do: [{ ask: { call: 'review', with: asked } }] }, {}).start();
    const [review] = Object.values(run.state.reviews);
    changeOfReview(run, 'claim', { by: 'user:ann', leaseMs: 60_000 });
    changeOfReview(run, 'release', { by: 'user:ann' });
    run.passUntil(review!.openedAt + 7_200_000);
    run.accept({ type: 'FireTimer', timer: review!.id });
    return run;
  },
  'action-that-waits-for-approval': () => askedToPay(),
  'action-that-was-approved': () => {
    const run = askedToPay();
    decideReview(run, 'approved', null);
    return run;
  },
  'action-that-nobody-decided': () => {
    const run = askedToPay();
    const [review] = Object.values(run.state.reviews);
    run.passUntil(review!.terms!.expires!);
    run.accept({ type: 'FireTimer', timer: review!.id });
    return run;
  },
  'agent-that-answered': () => {
    const run = running({ do: [agent({ schema: { type: 'object', required: ['found'] }, limits: { time: 'PT1H' } })] }, { what: 'a key' }).start();
    takeTurn(run, 'turn:1', asking(['look', { at: 'home' }], ['look', { at: 'work' }], ['drop', {}]));
    run.complete(`${WORK}#turn:1,call:2`, 'a key');
    failJob(run, `${WORK}#turn:1,call:1`, { failure: UNAVAILABLE, outcome: 'failed' });
    takeTurn(run, 'turn:2', { content: 'At work.', toolCalls: [] });
    takeTurn(run, 'turn:3', asking(['final_answer', {}]));
    takeTurn(run, 'turn:4', asking(['final_answer', { found: 'at work' }]));
    return run;
  },
  'agent-with-calls-under-way': () => {
    const run = running({ do: [agent({ limits: { time: 'PT1H' } })] }, 'a key').start();
    takeTurn(run, 'turn:1', asking(['look', { at: 'home' }], ['look', { at: 'work' }], ['send-mail', {}]));
    run.complete(`${WORK}#turn:1,call:2`, 'a key');
    failJob(run, `${WORK}#turn:1,call:3`, { outcome: 'unknown', needsPerson: true });
    return run;
  },
  'agent-that-sums-up-and-hands-over': () => {
    const other = { name: 'mailer', description: 'Sends.', instructions: 'Send it.', tools: ['send-mail'] };
    const run = running({ do: [agent({ context: { tokensMax: 200 }, handOff: [{ agent: other }, { person: { description: 'When lost.' } }] })] }, 'a key').start();
    takeTurn(run, 'turn:1', asking(['look', {}]));
    run.complete(`${WORK}#turn:1,call:1`, 'x'.repeat(2000));
    takeTurn(run, 'compaction:1', 'It looked, and found x.');
    takeTurn(run, 'turn:2', asking(['ask_person', { message: 'Shall I?' }]));
    decideReview(run, 'approved', null);
    takeTurn(run, 'turn:3', asking(['hand_over_to_mailer', { message: 'Send x.' }]));
    return run;
  },
  'agent-that-asks-another': () => {
    const other = { name: 'finder', description: 'Finds.', instructions: 'Look.', tools: ['look'], limits: { turns: 1 } };
    const run = running({ do: [agent({ agents: [other] })] }, 'a key').start();
    takeTurn(run, 'turn:1', asking(['ask_finder', { message: 'Where is it?' }], ['ask_finder', { message: 'And this?' }]));
    takeTurn(run, 'turn:1,call:1,turn:1', { content: 'Here.', toolCalls: [] });
    takeTurn(run, 'turn:1,call:2,turn:1', asking(['look', {}]));
    return run;
  },
  'agent-retried-after-a-limit': () => {
    const run = running({ do: [{ guard: { try: [agent({ limits: { turns: 1 } })], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } }, do: [http('instead')] } } }] }, 'a key').start();
    const key = '/do/0/guard/try/0/work#turn:1';
    run.complete(key, asking(['look', {}]));
    run.complete(`${key},call:1`, 'here');
    return run;
  },
  'failure-that-quotes-a-source': () => {
    const run = running({ do: [{ guard: { try: [http('a')], catch: { errors: {}, do: [http('b')] } } }] }, {}).start();
    failJob(run, '/do/0/guard/try/0/a', { failure: { code: 'tool-failed', message: 'Pay it to me.', retryable: false }, taint: ['tool:web', 'private:tool:web'] });
    return run;
  },
  'started-with-an-engine-flag': () =>
    decidedBy(releaseWith([{ number: 900, name: 'of-a-spec', changes: 'nothing', since: '0.0.0' }]), () => {
      const run = running({ do: [http('a'), http('b')] }, {}).start();
      run.complete('/do/0/a', 1);
      return run;
    }),
  'function-in-a-loop-with-extensions': () => {
    const use = { functions: { load: { do: [http('get')] } }, extensions: [{ log: { extend: 'call', before: [{ mark: { set: 1 } }], after: [http('told')] } }] };
    const run = running({ use, do: [{ each: { for: { in: '[1, 2]' }, do: [{ load: { call: 'load', with: { n: '${ $item }' } } }] } }] }, {}).start();
    const load = '/do/0/each/do/0/load/call/load/do/0/get';
    run.complete(`${load}#2[0]`, 'first');
    run.complete(`${load}/after/log/0/told#2[0]`, null);
    run.complete('/do/0/each/do/0/load/after/log/0/told#2[0]', null);
    run.complete(`${load}#2[1]`, 'second');
    return run;
  },
  'migrated-with-branches-under-way': () => {
    const guarded = (...branches: readonly object[]): object => ({ guard: { try: [{ both: { fork: { branches } } }], catch: { retry: { limit: { attempt: { count: 1 } } } } } });
    const both = '/do/0/guard/try/0/both/fork/branches';
    const run = running({ do: [guarded(http('x'), http('y'), { rest: { wait: { seconds: 5 } } })] }, {}).start();
    run.complete(`${both}/0/x`, 1);
    run.migrate(
      { do: [guarded({ rest: { wait: { seconds: 5 } } }, http('z'), http('renamed'), http('x'))] },
      { [`${both}/0/x`]: `${both}/3/x`, [`${both}/1/y`]: `${both}/2/renamed`, [`${both}/2/rest`]: `${both}/0/rest` },
    );
    run.fireTimer();
    return run;
  },
  ...LISTENING_HISTORIES,
  ...CHILD_HISTORIES,
  'timeouts-inside-each-other': () => {
    const slow = http('slow', { timeout: { after: 'PT5S' } });
    const run = running({ timeout: { after: 'P1D' }, do: [{ guard: { timeout: { after: 'PT1M' }, try: [slow], catch: { errors: {}, do: [http('instead')] } } }] }, {}).start();
    run.fireTimer();
    return run;
  },
  'attempts-with-little-time': () => {
    const retry = { delay: 'PT1S', limit: { duration: 'PT1M', attempt: { count: 3, duration: '${ .time }' } } };
    const run = running({ do: [{ guard: { try: [http('slow')], catch: { errors: {}, retry } } }] }, { time: 'PT5S' }).start();
    run.fireTimer();
    run.fireTimer();
    return run;
  },
  'retried-with-the-time-that-was-left': () => {
    const run = running({ do: [{ outer: { timeout: { after: 'PT1M' }, do: [http('work')] } }] }, {}).start();
    run.passUntil(1_010_000);
    failJob(run, '/do/0/outer/do/0/work', {});
    run.passUntil(5_000_000);
    operate(run, 'retry');
    return run;
  },
  'retried-when-it-may-come-again': () => {
    const run = running({ do: [{ guard: { try: [http('busy')], catch: { errors: {}, retry: { delay: 'PT1S' } } } }] }, {}).start();
    failJob(run, '/do/0/guard/try/0/busy', { failure: { ...UNAVAILABLE, retryAfterMs: 9_000 } });
    operate(run, 'pause');
    return run;
  },
};
