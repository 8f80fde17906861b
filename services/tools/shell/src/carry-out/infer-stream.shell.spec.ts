import type { Command } from '@weft/contracts';
import type { TokenChunk } from '@weft/pipeline';
import type { ModelRule } from '@weft/testkit';
import type { InferEvidence, StreamFailure } from '@weft/tools/core';
import { afterEach, describe, expect, it } from 'vitest';
import { inferWorld, type InferWorld } from './infer.testing.js';

const open: InferWorld[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
});

const ANSWER = 'The quick brown fox jumps over the lazy dog, and then once more, and then it rests at last.';
const PRICE = { input: 1_000, output: 2_000 };
const terms = (capabilities: string[]) => ({ digest: '', dialect: 'openai', capabilities, contextTokens: 0, outputTokensMax: 0, tier: '', dimensions: 0, price: PRICE });

interface Streamed {
  readonly command: Command;
  readonly chunks: readonly TokenChunk[];
  /** What a reader has at the end, who forgets what is void. */
  readonly shown: string;
  readonly evidence: InferEvidence;
  readonly asked: readonly string[];
  readonly billed: number;
}

async function stream(rules: readonly ModelRule[], onFailure: StreamFailure, capabilities: string[] = []): Promise<Streamed> {
  const world = await inferWorld(rules);
  open.push(world);
  const chunks: TokenChunk[] = [];
  await world.ports.tokens.subscribe({ tenant: 'default', executionId: '0190b1a2-0000-7000-8000-000000000001' }, (chunk) => chunks.push(chunk));
  const command = await world.infer(
    ['first', 'second'].map((model) => ({ model, terms: terms(capabilities) })),
    { prompt: 'Tell me.', stream: { onFailure } },
  );
  const shown = chunks.reduce((text, { kind, text: piece }) => (kind === 'restart' ? '' : kind === 'text' ? text + piece : text), '');
  const requests = world.server.requests();
  return {
    command,
    chunks,
    shown,
    evidence: JSON.parse((command.completeJob ?? command.failJob)!.evidenceJson) as InferEvidence,
    asked: requests.map(({ model }) => model),
    billed: requests.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
  };
}

const outputOf = ({ command }: Streamed): unknown => JSON.parse(command.completeJob?.outputJson ?? 'null');
const kinds = ({ chunks }: Streamed): string => chunks.map(({ kind }) => kind[0]).join('');

describe('an answer that streams', () => {
  it('is shown as it comes, numbered from 0, and recorded whole', async () => {
    const streamed = await stream([{ answer: { content: ANSWER } }], 'abort');
    expect(outputOf(streamed)).toBe(ANSWER);
    expect([streamed.shown, kinds(streamed)]).toEqual([ANSWER, `${'t'.repeat(Math.ceil(ANSWER.length / 16))}e`]);
    expect(streamed.chunks.map(({ number }) => number)).toEqual(streamed.chunks.map((_, at) => at));
    expect(streamed.chunks[0]).toMatchObject({ source: '/do/0/ask' });
    expect(streamed.evidence).toMatchObject({ usage: { estimated: false }, stream: { onFailure: 'abort', restarts: 0, continuations: 0 } });
  });

  it.each(['cut', 'bad-chunk', 'stall', 'error'] as const)('of which nothing was shown yet goes to the next candidate as if nothing had been: %s', async (then) => {
    for (const onFailure of ['abort', 'restart-visible', 'continue-from-prefix'] as const) {
      const streamed = await stream([{ model: 'first', answer: { content: ANSWER }, fault: { afterPieces: 0, then } }, { answer: { content: ANSWER } }], onFailure);
      expect([outputOf(streamed), streamed.shown, streamed.asked]).toEqual([ANSWER, ANSWER, ['first', 'second']]);
      expect(streamed.evidence.stream).toMatchObject({ restarts: 0, continuations: 0 });
    }
  });

  describe.each(['cut', 'bad-chunk', 'stall', 'error'] as const)('and breaks after a part was shown: %s', (then) => {
    const broken: ModelRule = { model: 'first', answer: { content: ANSWER }, fault: { afterPieces: 2, then } };

    it('is given up with abort', async () => {
      const streamed = await stream([broken, { answer: { content: 'never asked' } }], 'abort');
      expect(streamed.command.failJob).toMatchObject({ outcome: 'none', failure: { code: 'stream-broken', retryable: true }, usage: { calls: 1, estimated: true } });
      expect([streamed.shown, streamed.asked, kinds(streamed)]).toEqual([ANSWER.slice(0, 32), ['first'], 'tt']);
    });

    it('begins anew visibly with restart-visible', async () => {
      const streamed = await stream([broken, { answer: { content: 'Another answer.' } }], 'restart-visible');
      expect([outputOf(streamed), streamed.shown, kinds(streamed)]).toEqual(['Another answer.', 'Another answer.', 'ttrte']);
      expect(streamed.evidence.stream).toMatchObject({ restarts: 1 });
    });

    it('is gone on with by continue-from-prefix, where a candidate can', async () => {
      const rest = { model: 'second', turn: 1, lastContains: ANSWER.slice(0, 32), answer: { content: ANSWER.slice(32) } };
      const streamed = await stream([broken, rest], 'continue-from-prefix', ['prefill']);
      expect([outputOf(streamed), streamed.shown, kinds(streamed).includes('r')]).toEqual([ANSWER, ANSWER, false]);
      expect(streamed.evidence.stream).toMatchObject({ restarts: 0, continuations: 1 });
      const anew = await stream([broken, { answer: { content: 'Another answer.' } }], 'continue-from-prefix');
      expect([outputOf(anew), anew.shown]).toEqual(['Another answer.', 'Another answer.']);
    });
  });

  it('is billed once: what is spent is what the providers sent, each call counted once', async () => {
    const streamed = await stream([{ model: 'first', answer: { content: ANSWER }, fault: { afterPieces: 2, then: 'cut' } }, { answer: { content: ANSWER } }], 'restart-visible');
    const { usage, spent } = streamed.evidence;
    expect(usage.outputTokens).toBe(Math.ceil(ANSWER.length / 4));
    expect(streamed.command.completeJob?.usage).toMatchObject({ calls: 2, outputTokens: spent.outputTokens });
    expect(spent.outputTokens).toBe(Math.ceil(ANSWER.length / 4) + 8);
    // The scripted server counts its own way; both are near.
    expect(Math.abs(spent.inputTokens + spent.outputTokens - streamed.billed)).toBeLessThan(15);
  });

  it('is cut off when it never ends', async () => {
    const world = await inferWorld([{ model: 'first', answer: { content: ANSWER }, fault: { endless: true } }, { answer: { content: 'short' } }], { modelTimeoutMs: 150 });
    open.push(world);
    const command = await world.infer(['first', 'second'], { prompt: 'x', stream: true });
    expect(JSON.parse(command.completeJob!.outputJson)).toBe('short');
  });
});
