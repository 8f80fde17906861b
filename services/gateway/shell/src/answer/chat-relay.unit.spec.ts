import type { TokenChunk } from '@weft/pipeline';
import { expect, it } from 'vitest';
import { ChatRelay, type RelayPiece } from './chat-relay.js';

const text = (number: number, piece: string, more: Partial<TokenChunk> = {}): TokenChunk => ({ source: '/do/0/a', run: 'r1', number, kind: 'text', text: piece, ...more });
const restart = (number: number): TokenChunk => text(number, 'another candidate answers', { kind: 'restart' });

function relay(chunks: readonly TokenChunk[], answer: string, tellsRestarts = false) {
  const made = new ChatRelay(tellsRestarts);
  const live = chunks.flatMap((chunk) => made.take(chunk));
  return { live: said(live), end: made.end(answer) };
}
const said = (pieces: readonly RelayPiece[]): string => pieces.map((piece) => (piece.kind === 'text' ? piece.text : '|')).join('');

it('shows tokens as they come, of the task that streams first', () => {
  expect(relay([text(0, 'Hel'), text(0, 'other', { source: '/do/1/b' }), text(1, 'lo'), text(2, '', { kind: 'end' })], 'Hello')).toEqual({ live: 'Hello', end: { ok: true, pieces: [] } });
});

it('waits for the recorded answer when something was lost, and shows the rest of it', () => {
  expect(relay([text(0, 'Hel'), text(2, '!')], 'Hello!')).toEqual({ live: 'Hel', end: { ok: true, pieces: [{ kind: 'text', text: 'lo!' }] } });
  expect(relay([text(1, 'lo')], 'Hello')).toMatchObject({ live: '', end: { pieces: [{ text: 'Hello' }] } });
  expect(relay([], 'Hello')).toMatchObject({ live: '', end: { pieces: [{ text: 'Hello' }] } });
});

it('does not show what begins anew to a client that keeps what it has: the answer goes on only where it has the same start', () => {
  const chunks = [text(0, 'Hel'), restart(1), text(2, 'Good day')];
  expect(relay(chunks, 'Good day')).toMatchObject({ live: 'Hel', end: { ok: false, reason: expect.stringContaining('began anew') } });
  expect(relay(chunks, 'Hello')).toMatchObject({ live: 'Hel', end: { ok: true, pieces: [{ text: 'lo' }] } });
  expect(relay([restart(0), text(1, 'Good day')], 'Good day')).toMatchObject({ live: 'Good day', end: { ok: true } });
});

it('tells a client that wants to know when the answer begins anew, also by another carrying out of the job', () => {
  expect(relay([text(0, 'Hel'), restart(1), text(2, 'Good day')], 'Good day', true)).toEqual({ live: 'Hel|Good day', end: { ok: true, pieces: [] } });
  expect(relay([text(0, 'Hel'), text(0, 'Good', { run: 'r2' }), text(1, ' day', { run: 'r2' })], 'Good day', true)).toEqual({ live: 'Hel|Good day', end: { ok: true, pieces: [] } });
  expect(relay([text(0, 'Hel')], 'Good day', true)).toMatchObject({ end: { ok: true, pieces: [{ kind: 'restart' }, { text: 'Good day' }] } });
});

it('shows turns of an agent, whose words may be no part of the answer, only to a client that takes back what it was shown', () => {
  const turn = (at: number, number: number, piece: string, more: Partial<TokenChunk> = {}): TokenChunk => text(number, piece, { source: `/do/0/a#turn:${at}`, run: `r${at}`, ...more });
  const other = turn(1, 0, 'I am another one.', { source: '/do/1/b#turn:1' });
  const chunks = [turn(1, 0, 'Let me '), turn(1, 1, 'see.'), other, turn(1, 2, '', { kind: 'end' }), turn(2, 0, 'It is '), turn(2, 1, 'late.')];
  expect(relay(chunks, 'It is late.')).toEqual({ live: '', end: { ok: true, pieces: [{ kind: 'text', text: 'It is late.' }] } });
  expect(relay(chunks, 'It is late.', true)).toEqual({ live: 'Let me see.|It is late.', end: { ok: true, pieces: [] } });
});
