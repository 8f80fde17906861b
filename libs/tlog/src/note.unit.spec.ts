import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateNoteKey, noteKeyFromSeed, parseSignerKey, parseVerifierKey, type NoteSigner, type NoteVerifier } from './note-key.codec.js';
import { signNote, verifyNote } from './note.codec.js';

// The key and note that the signed-note specification and its Go implementation show.
const KNOWN = {
  verifierKey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  signerKey: 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature: '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};

function keyOf(name: string, seed: number): { readonly signer: NoteSigner; readonly verifier: NoteVerifier } {
  const pair = noteKeyFromSeed(name, new Uint8Array(32).fill(seed));
  const signer = parseSignerKey(pair.signerKey);
  const verifier = parseVerifierKey(pair.verifierKey);
  if (!signer.ok || !verifier.ok) throw new Error('no key');
  return { signer: signer.signer, verifier: verifier.verifier };
}

describe('note keys', () => {
  it('read the published pair and derive its public half', () => {
    expect(parseSignerKey(KNOWN.signerKey)).toMatchObject({ ok: true, verifierKey: KNOWN.verifierKey, signer: { name: 'PeterNeumann' } });
    expect(parseVerifierKey(KNOWN.verifierKey)).toMatchObject({ ok: true, verifier: { name: 'PeterNeumann' } });
  });

  it('differ each time they are generated', () => {
    const [one, two] = [generateNoteKey('log.example/a'), generateNoteKey('log.example/a')];
    expect(one.verifierKey).not.toBe(two.verifierKey);
    expect(parseSignerKey(one.signerKey)).toMatchObject({ ok: true, verifierKey: one.verifierKey });
  });

  it.each(['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u0085b', '\ud800'])('cannot be named %j', (name) => {
    expect(() => generateNoteKey(name)).toThrow(/key name/);
  });

  it('are refused with a wrong hash, type, length or form, and a refusal never repeats a secret', () => {
    const secret = KNOWN.signerKey.slice(-44);
    const bad = [KNOWN.signerKey.replace('c74f20a3', 'c74f20a4'), KNOWN.signerKey.replace('+AYEK', '+AoEK'), KNOWN.signerKey.slice(0, -4), KNOWN.signerKey.replace('PRIVATE+KEY+', ''), ''];
    for (const text of bad) {
      const refused = parseSignerKey(text);
      expect(refused).toMatchObject({ ok: false, rejection: { code: 'note-key-invalid' } });
      expect(JSON.stringify(refused)).not.toContain(secret.slice(8, 20));
    }
    for (const text of [KNOWN.verifierKey.replace('c74f20a3', 'c74f20a4'), KNOWN.verifierKey.replace('PeterN', 'peterN'), KNOWN.verifierKey.replace('+AR', '+BB'), KNOWN.signerKey, 'x']) {
      expect(parseVerifierKey(text)).toMatchObject({ ok: false, rejection: { code: 'note-key-invalid' } });
    }
  });
});

describe('signNote', () => {
  it('gives the published signature', () => {
    const parsed = parseSignerKey(KNOWN.signerKey);
    expect(parsed.ok && signNote(KNOWN.text, [parsed.signer])).toBe(`${KNOWN.text}\n${KNOWN.signature}`);
  });

  it.each(['no line feed', 'tab\t\n', 'nul\0\n', 'lone \ud800\n'])('refuses the text %j', (text) => {
    expect(() => signNote(text, [keyOf('a', 1).signer])).toThrow(/note's text/);
  });
});

describe('verifyNote', () => {
  const [ann, bob, eve] = [keyOf('ann', 1), keyOf('bob', 2), keyOf('eve', 3)];

  it('accepts texts with empty lines of their own, and names the known signers', () => {
    const note = signNote('a\n\n— b\n\nc\n', [ann.signer, bob.signer, eve.signer]);
    expect(verifyNote(note, [bob.verifier, ann.verifier])).toEqual({ ok: true, text: 'a\n\n— b\n\nc\n', signedBy: ['ann', 'bob'] });
  });

  it('refuses a note that no known key signed, also one with the right name', () => {
    expect(verifyNote(signNote('a\n', [eve.signer]), [ann.verifier])).toMatchObject({ ok: false, rejection: { code: 'signature-invalid' } });
    expect(verifyNote(signNote('a\n', [keyOf('ann', 9).signer]), [ann.verifier])).toMatchObject({ ok: false, rejection: { code: 'signature-invalid' } });
  });

  it('refuses a note in which one of two known signatures is wrong', () => {
    const good = signNote('a\n', [ann.signer]);
    const forged = signNote('b\n', [bob.signer]).split('\n\n')[1]!;
    expect(verifyNote(good + forged, [ann.verifier])).toMatchObject({ ok: true, signedBy: ['ann'] });
    expect(verifyNote(good + forged, [ann.verifier, bob.verifier])).toMatchObject({ ok: false, rejection: { code: 'signature-invalid', details: { key: 'bob' } } });
  });

  it('refuses every text with a bit turned anywhere', () => {
    const bytes = Buffer.from(signNote('log.example\n12345\nsome text\n', [ann.signer]));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(verifyNote(changed.toString('utf8'), [ann.verifier]).ok).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it.each(['', 'a\n', 'a\n\n', 'a\n\n— ann\n', 'a\n\n— ann AAAA\n', 'a\n\n- ann AAAAAAAA\n', 'a\n\n— ann AAAAAAAA', 'a\n\n— ann AAAAAAAB==\n', 'a\u0007\n\n— ann AAAAAAAA\n'])(
    'refuses the form of %j',
    (note) => {
      expect(verifyNote(note, [ann.verifier])).toMatchObject({ ok: false, rejection: { code: 'note-invalid' } });
    },
  );

  it('bounds what it reads', () => {
    const line = signNote('a\n', [eve.signer]).split('\n\n')[1]!;
    expect(verifyNote(`a\n\n${line.repeat(101)}`, [eve.verifier])).toMatchObject({ rejection: { code: 'note-invalid' } });
    expect(verifyNote(`${'a'.repeat(1_000_001)}\n\n${line}`, [eve.verifier])).toMatchObject({ rejection: { code: 'note-invalid' } });
  });
});
