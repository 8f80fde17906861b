import { describe, expect, it } from 'vitest';
import { decidePin, evolvePin } from './pin.decide.js';
import type { PinCommand } from './pin.events.js';
import { initialPin, standingOf, type PinState } from './pin.state.js';
import { differences, pinText, shownDefinition, type PinnedDefinition } from './pinned-definition.js';

const definition = (more: Partial<PinnedDefinition> = {}): PinnedDefinition => ({
  source: 'files',
  target: [{ mcp: { command: 'x', args: [] } }, null],
  name: 'read',
  description: 'Reads a file.',
  input: { type: 'object', properties: { path: { type: 'string' } } },
  ...more,
});
const at = (now: number) => ({ now, idOf: String });
const offer = (digest: string, more: Partial<PinnedDefinition> = {}): PinCommand => ({ type: 'OfferTool', digest, definition: definition(more) });
const accept = (digest: string): PinCommand => ({ type: 'AcceptTool', digest, by: 'ada', reason: 'read it' });
const reject = (digest: string): PinCommand => ({ type: 'RejectTool', digest, by: 'bob', reason: 'no' });

function after(...commands: readonly PinCommand[]): PinState {
  return commands.reduce<PinState>((state, command, index) => {
    const decision = decidePin(state, command, at(index));
    return decision.kind === 'accepted' ? decision.events.reduce(evolvePin, state) : state;
  }, initialPin);
}

describe('the pin of a tool', () => {
  it('is quarantined until somebody accepts the definition that is offered', () => {
    expect(standingOf(after(offer('a')), 'a')).toBe('quarantined');
    expect(standingOf(after(offer('a'), accept('a')), 'a')).toBe('accepted');
  });

  it('holds fast one definition: another one is quarantined, and the first may be called again when it comes back', () => {
    const changed = after(offer('a'), accept('a'), offer('b'));
    expect(standingOf(changed, 'b')).toBe('quarantined');
    expect(standingOf(changed, 'a')).toBe('accepted');
    expect(standingOf(after(offer('a'), accept('a'), offer('b'), accept('b')), 'a')).toBe('quarantined');
  });

  it('takes a rejection as no acceptance, and an acceptance taken back by a rejection of the same definition', () => {
    expect(standingOf(after(offer('a'), reject('a')), 'a')).toBe('rejected');
    expect(standingOf(after(offer('a'), accept('a'), reject('a')), 'a')).toBe('rejected');
    expect(standingOf(after(offer('a'), reject('a'), accept('a')), 'a')).toBe('accepted');
  });

  it('keeps the accepted definition when a later one is rejected', () => {
    const state = after(offer('a'), accept('a'), offer('b'), reject('b'));
    expect([standingOf(state, 'a'), standingOf(state, 'b')]).toEqual(['accepted', 'rejected']);
  });

  it('takes decisions about what is offered now alone', () => {
    expect(decidePin(after(offer('a'), offer('b')), accept('a'), at(9))).toMatchObject({ kind: 'rejected', rejection: { code: 'tool-changed', details: { offered: 'b' } } });
    expect(decidePin(initialPin, accept('a'), at(9))).toMatchObject({ kind: 'rejected', rejection: { code: 'unknown-tool' } });
  });

  it('ignores what is known already', () => {
    expect(decidePin(after(offer('a')), offer('a'), at(9)).kind).toBe('ignored');
    expect(decidePin(after(offer('a'), accept('a')), accept('a'), at(9)).kind).toBe('ignored');
  });
});

describe('what is pinned', () => {
  const fields: readonly (readonly [string, Partial<PinnedDefinition>])[] = [
    ['the source', { source: 'other' }],
    ['where it is', { target: [{ mcp: { command: 'y', args: [] } }, null] }],
    ['its name', { name: 'Read' }],
    ['its description', { description: 'Reads a file. ' }],
    ['a character that nobody sees', { description: 'Reads a file.\u{e0041}' }],
    ['its input schema', { input: { type: 'object', properties: { path: { type: 'string', description: 'x' } } } }],
    ['an output schema', { output: { type: 'object' } }],
    ['its title', { hints: { title: 'Read' } }],
    ['the class that its source gives it', { effect: 'read' }],
  ];

  it.each(fields)('changes with %s', (_what, more) => {
    expect(pinText(definition(more))).not.toBe(pinText(definition()));
    expect(differences(definition(), definition(more)).length).toBeGreaterThan(0);
  });

  it('does not change with the order of fields', () => {
    const { description, ...rest } = definition();
    expect(pinText({ description, ...rest })).toBe(pinText(definition()));
  });

  it('is shown field by field, and as a whole when nothing was accepted before', () => {
    expect(differences(definition(), definition({ input: { type: 'object', properties: { path: { type: 'integer' }, 'a/b': {} } } }))).toEqual([
      { path: '/input/properties/a~1b', after: {} },
      { path: '/input/properties/path/type', before: 'string', after: 'integer' },
    ]);
    expect(differences(undefined, definition()).map(({ path }) => path)).toEqual(['/description', '/input', '/name', '/source', '/target']);
  });

  it('is shown without what nobody sees, which is counted', () => {
    const hidden = definition({ description: 'Reads\u200b a\u{e0049}\u{e0047} file.', input: { type: 'object', properties: { 'pa\u00adth': { description: '\u202eevil' } } } });
    const { definition: shown, invisible } = shownDefinition(hidden);
    expect(invisible).toBe(5);
    expect(shown).toMatchObject({ description: 'Reads a file.', input: { properties: { path: { description: 'evil' } } } });
  });
});
