import { appendEntries, EMPTY_ROOT, noteKeyFromSeed, parseSignerKey, signCheckpoint, tilesByPath } from '@weft/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitLeafOf, encodeCommitLeaf, type CommitRow } from './commit-leaf.js';
import { buildDecisionProof, encodeDecisionProof, parseDecisionProof, verifyDecisionProof, type DecisionProof } from './decision-proof.js';

const ORIGIN = 'weft.example/audit';
const { signerKey, verifierKey } = noteKeyFromSeed(ORIGIN, new Uint8Array(32).fill(5));
const key = parseSignerKey(signerKey);
if (!key.ok) throw new Error('no key');

const commits: readonly CommitRow[] = Array.from({ length: 300 }, (_, n) => ({
  id: `commit-${n}`,
  service: 'orchestration',
  tenants: ['acme'],
  members: Array.from({ length: 1 + (n % 7) }, (__, m) => ({ subject: `execution-${n}-${m}`, sequence: m, digest: new Uint8Array(32).fill(n).with(0, m) })),
  at: 1_790_000_000_000 + n,
}));
const entryOf = (commit: CommitRow): Uint8Array => {
  const encoded = encodeCommitLeaf(commitLeafOf(commit));
  if (!encoded.ok) throw new Error(encoded.rejection.message);
  return encoded.bytes;
};
const appended = appendEntries({ reader: () => undefined, head: { size: 0, root: EMPTY_ROOT }, entries: commits.map(entryOf) });
if (!appended.ok) throw new Error('no log');
const reader = tilesByPath(new Map(appended.tiles.map(({ path, bytes }) => [path, bytes])));
const checkpoint = signCheckpoint({ origin: ORIGIN, ...appended.head }, [key.signer]);

function proofOf(leafIndex: number, memberIndex: number): { readonly proof: DecisionProof; readonly digest: Uint8Array } {
  const commit = commits[leafIndex]!;
  const built = buildDecisionProof({ commit, memberIndex, leafIndex, checkpoint, reader });
  if (!built.ok) throw new Error(built.rejection.message);
  return { proof: built.proof, digest: commit.members[memberIndex]!.digest };
}
const { proof, digest } = proofOf(263, 3);
const stepOf = (change: Partial<DecisionProof>, expected = digest, verifier = verifierKey): unknown => {
  const result = verifyDecisionProof({ ...proof, ...change }, verifier, expected);
  return result.ok ? 'ok' : result.rejection.details?.['step'];
};
const OTHER = Buffer.alloc(32, 9).toString('base64');

describe('verifyDecisionProof', () => {
  it('accepts the proof of every member and says which decision it is', () => {
    for (let leafIndex = 0; leafIndex < commits.length; leafIndex += 13) {
      const { members, id } = commits[leafIndex]!;
      members.forEach((member, memberIndex) => {
        const built = proofOf(leafIndex, memberIndex);
        const read = parseDecisionProof(encodeDecisionProof(built.proof));
        expect(read).toEqual({ ok: true, proof: built.proof });
        expect(verifyDecisionProof(built.proof, verifierKey, member.digest)).toMatchObject({
          ok: true,
          subject: member.subject,
          sequence: member.sequence,
          commit: { id },
          checkpoint: { origin: ORIGIN, size: 300 },
        });
      });
    }
  });

  it('names the step that failed', () => {
    const otherKey = noteKeyFromSeed(ORIGIN, new Uint8Array(32).fill(6));
    const otherSigner = parseSignerKey(otherKey.signerKey);
    if (!otherSigner.ok) throw new Error('no key');
    expect(stepOf({})).toBe('ok');
    expect(stepOf({}, digest, 'no key')).toBe('verifier-key');
    expect(stepOf({}, digest, otherKey.verifierKey)).toBe('checkpoint');
    expect(stepOf({ checkpoint: checkpoint.replace('\n300\n', '\n301\n'), treeSize: 301 })).toBe('checkpoint');
    expect(stepOf({ checkpoint: signCheckpoint({ origin: ORIGIN, ...appended.head }, [otherSigner.signer]) })).toBe('checkpoint');
    expect(stepOf({ treeSize: 299 })).toBe('tree-size');
    expect(stepOf({ leafIndex: 262 })).toBe('inclusion');
    expect(stepOf({ inclusionPath: proof.inclusionPath.with(0, OTHER) })).toBe('inclusion');
    expect(stepOf({ commitLeaf: proof.commitLeaf.replace('execution-263-3', 'execution-263-9') })).toBe('inclusion');
    expect(stepOf({ memberIndex: 5 })).toBe('member');
    expect(stepOf({ memberIndex: -1 })).toBe('member');
    expect(stepOf({}, new Uint8Array(32))).toBe('digest');
    expect(stepOf({ memberDigest: OTHER })).toBe('digest');
    expect(stepOf({ memberDigest: OTHER }, Buffer.alloc(32, 9))).toBe('commit-path');
    expect(stepOf({ memberIndex: 2 })).toBe('commit-path');
    expect(stepOf({ commitPath: [] })).toBe('commit-path');
    expect(stepOf({ commitPath: proof.commitPath.with(0, 'no base64') })).toBe('commit-path');
  });

  it('refuses a logged leaf that is no commit', () => {
    const entry = new TextEncoder().encode('{"free":"form"}');
    const odd = appendEntries({ reader, head: appended.head, entries: [entry] });
    if (!odd.ok) throw new Error('no log');
    const grown = new Map(odd.tiles.map(({ path, bytes }) => [path, bytes]));
    const built = buildDecisionProof({
      commit: commits[263]!,
      memberIndex: 3,
      leafIndex: 300,
      checkpoint: signCheckpoint({ origin: ORIGIN, ...odd.head }, [key.signer]),
      reader: (level, index, width) => tilesByPath(grown)(level, index, width) ?? reader(level, index, width),
    });
    expect(built).toMatchObject({ ok: false, rejection: { code: 'decision-proof-invalid', details: { step: 'inclusion' } } });
  });

  it('refuses the proof with any bit of its text turned, unless the text still says the same', () => {
    const text = Buffer.from(encodeDecisionProof(proof));
    fc.assert(
      fc.property(fc.nat({ max: text.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(text);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const read = parseDecisionProof(changed.toString('utf8'));
        if (!read.ok) return;
        expect(verifyDecisionProof(read.proof, verifierKey, digest).ok).toBe(JSON.stringify(read.proof) === JSON.stringify(proof));
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['an empty text', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['an empty object', '{}'],
    ['an index as text', JSON.stringify({ ...proof, leafIndex: '1' })],
    ['a path of numbers', JSON.stringify({ ...proof, commitPath: [1] })],
    ['a path longer than any tree', JSON.stringify({ ...proof, inclusionPath: Array.from({ length: 65 }, () => OTHER) })],
  ])('refuses the form of %s', (_what, text) => {
    expect(parseDecisionProof(text)).toMatchObject({ ok: false, rejection: { code: 'decision-proof-invalid', details: { step: 'form' } } });
  });
});

describe('buildDecisionProof', () => {
  const request = { commit: commits[10]!, memberIndex: 0, leafIndex: 10, checkpoint, reader };

  it('refuses a row that is not the one logged at this index', () => {
    expect(buildDecisionProof({ ...request, leafIndex: 11 })).toMatchObject({ ok: false, rejection: { code: 'decision-proof-invalid', details: { step: 'inclusion' } } });
    const members = commits[10]!.members.map((member, n) => (n === 0 ? { ...member, digest: new Uint8Array(32) } : member));
    expect(buildDecisionProof({ ...request, commit: { ...commits[10]!, members } })).toMatchObject({ ok: false, rejection: { details: { step: 'inclusion' } } });
  });

  it('refuses members and leaves that are not there, and a checkpoint that is none', () => {
    expect(buildDecisionProof({ ...request, memberIndex: 99 })).toMatchObject({ ok: false, rejection: { details: { step: 'member' } } });
    expect(buildDecisionProof({ ...request, leafIndex: 300 })).toMatchObject({ ok: false, rejection: { code: 'leaf-out-of-range' } });
    expect(buildDecisionProof({ ...request, reader: () => undefined })).toMatchObject({ ok: false, rejection: { code: 'tile-missing' } });
    expect(buildDecisionProof({ ...request, checkpoint: 'no note' })).toMatchObject({ ok: false, rejection: { code: 'note-invalid' } });
  });
});
