import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from './history-fold.js';
import type { ExecutionSeen, KillsInput, SqlSeen } from './kills-checker.js';
import { missingStarts, repeatedStarts } from './started-executions.js';

const TOP: ExecutionSeen = { id: 'top', status: 'completed', requestSource: '/prove', requestId: 'r1', workflow: 'w/top' };
const CHILD: ExecutionSeen = { id: 'child', status: 'completed', requestSource: '/weft/executions/top', requestId: '/do/0/run', workflow: 'w/child', parent: 'top' };
const BEGUN: ExecutionSeen = { id: 'begun', status: 'completed', requestSource: '/weft/schedules/w/begun', requestId: 'on//shop/top/do/1/tell', workflow: 'w/begun' };
const STARTED: HistoryEvent = { type: 'ChildStarted', child: 'child' };
const ENDED: HistoryEvent = { type: 'ChildEnded', child: 'child', status: 'completed' };

const seen = (executions: readonly ExecutionSeen[] = [TOP, CHILD, BEGUN], events: readonly HistoryEvent[] = [STARTED, ENDED]): KillsInput => ({
  requests: [{ id: 'r1', executionId: 'top' }],
  results: [],
  receipts: [],
  sql: { executions, history: [{ execution: 'top', sequence: 0, commit: 'c', atMs: 1, events }] } as unknown as SqlSeen,
  tools: {},
  startsPerExecution: { 'w/child': { executions: 1, effects: {} }, 'w/begun': { executions: 1, effects: {} } },
});
const sentences = (input: KillsInput): readonly string[] => [...missingStarts(input), ...repeatedStarts(input)];

describe('executions that others start', () => {
  it('are all there once in a good run', () => {
    expect(sentences(seen())).toEqual([]);
  });

  it.each<[string, KillsInput, readonly RegExp[]]>([
    ['a child that is not there', seen([TOP, BEGUN]), [/^Execution top started child, which is not in the database$/, /and 0 of the 1 executions of w\/child/]],
    ['a child whose end was not heard', seen(undefined, [STARTED]), [/completed without the end of child/]],
    ['an end that counts twice', seen(undefined, [STARTED, ENDED, ENDED]), [/took the end of child 2 times/]],
    ['an end that was another one', seen(undefined, [STARTED, { ...ENDED, status: 'faulted' }]), [/took child for faulted, but it is completed/]],
    ['a child that nobody started', seen([TOP, CHILD, BEGUN, { ...CHILD, id: 'stray', requestId: 'x', workflow: 'w/other' }]), [/^Execution stray names top as its parent/]],
    ['an event that started nothing', seen([TOP, CHILD]), [/and 0 of the 1 executions of w\/begun/]],
    ['an event that started two', seen([TOP, CHILD, BEGUN, { ...BEGUN, id: 'again' }]), [/begun and again stand for the same start/, /top started 2 executions of w\/begun and not 1/]],
    [
      'what was started and does not end',
      seen([TOP, CHILD, { ...BEGUN, status: 'waiting' }]),
      [/and 0 of the 1 executions of w\/begun/, /^Execution begun of w\/begun, which no request started, is waiting/],
    ],
  ])('%s is seen', (_what, input, expected) => {
    expect(sentences(input)).toEqual(expected.map((sentence): unknown => expect.stringMatching(sentence)));
  });
});
