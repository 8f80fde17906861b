import { accepted, rejection, type Decider } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { FIXED_NOW } from './fixed-clock.js';
import { given } from './given.js';

type Event = { readonly type: 'Opened'; readonly at: number; readonly id: string } | { readonly type: 'Closed' };
type Command = { readonly type: 'open' } | { readonly type: 'close' };

const door: Decider<'open' | 'closed', Command, Event, string> = {
  initial: 'closed',
  decide: (state, command, { now, idOf }) => {
    if (command.type === 'open') {
      return state === 'open' ? { kind: 'ignored', reason: 'duplicate' } : accepted([{ type: 'Opened', at: now, id: idOf(0) }], ['ring']);
    }
    return state === 'open' ? accepted([{ type: 'Closed' }]) : { kind: 'rejected', rejection: rejection('DOOR_CLOSED', 'Expected an open door, but it is closed') };
  },
  evolve: (_state, event) => (event.type === 'Opened' ? 'open' : 'closed'),
};
const OPENED: Event = { type: 'Opened', at: FIXED_NOW, id: 'id-0' };

describe('given, when, then', () => {
  it('passes when events and effects are exactly the expected ones', () => {
    given(door).when({ type: 'open' }).then([OPENED], ['ring']);
    given(door, OPENED)
      .when({ type: 'close' })
      .then([{ type: 'Closed' }], []);
  });

  it('leaves effects alone when none are named', () => {
    given(door).when({ type: 'open' }).then([OPENED]);
  });

  it('takes time and ids from the test', () => {
    given(door)
      .when({ type: 'open' }, { now: 5, idOf: () => 'x' })
      .then([{ type: 'Opened', at: 5, id: 'x' }]);
  });

  it('shows a diff when events differ', () => {
    expect(() =>
      given(door)
        .when({ type: 'open' })
        .then([{ ...OPENED, id: 'id-1' }]),
    ).toThrow(/\+ .*'id-0'[\s\S]*- .*'id-1'/);
  });

  it('shows a diff when effects differ', () => {
    expect(() => given(door).when({ type: 'open' }).then([OPENED], ['knock'])).toThrow(/'ring'[\s\S]*'knock'/);
  });

  it('checks rejections by code and shows what came instead', () => {
    given(door).when({ type: 'close' }).thenRejected('DOOR_CLOSED');
    expect(() => given(door).when({ type: 'close' }).thenRejected('DOOR_LOCKED')).toThrow(/^Expected a rejection DOOR_LOCKED, but got \{\s+kind: 'rejected'/);
    expect(() => given(door).when({ type: 'open' }).thenRejected('DOOR_CLOSED')).toThrow('Opened');
    expect(() => given(door).when({ type: 'close' }).then([])).toThrow('DOOR_CLOSED');
  });

  it('checks the reason of an ignored command', () => {
    given(door, OPENED).when({ type: 'open' }).thenIgnored('duplicate');
    expect(() => given(door, OPENED).when({ type: 'open' }).thenIgnored('stale')).toThrow('Expected the command to be ignored as stale');
  });

  it('catches a decider that does not decide the same twice', () => {
    let calls = 0;
    const moody: typeof door = { ...door, decide: () => accepted([{ type: 'Opened', at: calls++, id: '' }]) };
    expect(() => given(moody).when({ type: 'open' })).toThrow('Expected the same decision for the same state and command');
  });
});
