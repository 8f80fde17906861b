// The log's signing key: given, or made once and kept in a file that its owner alone can read.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { refuse } from '@weft/kernel';
import { generateNoteKey, parseSignerKey, parseVerifierKey, type NoteSigner, type NoteVerifier } from '@weft/tlog';

/** Both halves of the log's key. The name of the key is the origin of the log. */
export interface LogSigner {
  readonly signer: NoteSigner;
  readonly verifier: NoteVerifier;
  /** The public half as text. */
  readonly verifierKey: string;
}

/**
 * The key of the log.
 * @throws Refused `audit-key-invalid`: the text is no signing key, or the key of another log. The message never shows it.
 */
export function logSigner(settings: { readonly WEFT_HOME: string; readonly WEFT_AUDIT_ORIGIN: string; readonly WEFT_AUDIT_KEY?: string | undefined }): LogSigner {
  const { WEFT_HOME: home, WEFT_AUDIT_ORIGIN: origin, WEFT_AUDIT_KEY: given } = settings;
  const path = join(home, 'audit', 'signer.key');
  const where = given === undefined ? path : 'WEFT_AUDIT_KEY';
  const parsed = parseSignerKey((given ?? keptKey(path, origin)).trim());
  if (!parsed.ok) refuse('audit-key-invalid', `Expected the signing key of the log in ${where} but: ${parsed.rejection.message}.`);
  const { signer, verifierKey } = parsed;
  if (signer.name !== origin)
    refuse('audit-key-invalid', `Expected the signing key of ${origin} in ${where} but it is the key of ${signer.name}. Set WEFT_AUDIT_ORIGIN to the name of the key, or bring the key of the log.`);
  const verifier = parseVerifierKey(verifierKey);
  if (!verifier.ok) refuse('audit-key-invalid', verifier.rejection.message);
  return { signer, verifier: verifier.verifier, verifierKey };
}

/** The public half of the log's key as text, where the key is at hand; '' where it is not: nothing is made. */
export function verifierKeyOf({ WEFT_HOME: home, WEFT_AUDIT_KEY: given }: { readonly WEFT_HOME: string; readonly WEFT_AUDIT_KEY?: string | undefined }): string {
  const parsed = parseSignerKey((given ?? readIfThere(join(home, 'audit', 'signer.key')) ?? '').trim());
  return parsed.ok ? parsed.verifierKey : '';
}

function keptKey(path: string, origin: string): string {
  const known = readIfThere(path);
  if (known !== undefined) return known;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomUUID()}`;
  writeFileSync(fresh, `${generateNoteKey(origin).signerKey}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // A link appears whole or not at all, and never takes the place of a key that another process has just made.
    linkSync(fresh, path);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
  } finally {
    rmSync(fresh);
  }
  return readFileSync(path, 'utf8');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}
