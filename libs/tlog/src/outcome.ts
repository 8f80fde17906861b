import { Refused, refuse, rejection, type Rejection } from '@weft/kernel';

/**
 * Why something about a log was refused.
 * - `tile-missing`: the reader has no bytes for a tile or entry bundle of the tree.
 * - `tile-mismatch`: a tile or bundle does not have its length, or not the hashes that follow from what lies below it.
 * - `tree-root-mismatch`: the tiles give another root than the tree head.
 * - `entry-too-large`: an entry does not fit the 16-bit length of an entry bundle.
 * - `leaf-out-of-range`: a proof was asked for a leaf or size that the tree does not have.
 * - `note-invalid`: a text is no signed note; `checkpoint-invalid`: a note's text is no checkpoint, or of another log.
 * - `signature-invalid`: a known key's signature does not fit the text, or no known key signed it.
 * - `note-key-invalid`: a text is no Ed25519 signer or verifier key of a signed note.
 */
export type TlogRejectionCode =
  | 'tile-missing'
  | 'tile-mismatch'
  | 'tree-root-mismatch'
  | 'entry-too-large'
  | 'leaf-out-of-range'
  | 'note-invalid'
  | 'checkpoint-invalid'
  | 'signature-invalid'
  | 'note-key-invalid';

/** A refusal as a value. */
export type Refusal = { readonly ok: false; readonly rejection: Rejection };

/** Either what was asked for, or why not. */
export type Outcome<T> = ({ readonly ok: true } & T) | Refusal;

/** A refusal with one of the log's codes. */
export const refusal = (code: TlogRejectionCode, message: string, details?: Rejection['details']): Refusal => ({
  ok: false,
  rejection: rejection(code, message, details === undefined ? {} : { details }),
});

/** Leaves the surrounding `outcomeOf` with a refusal: for reads deep inside a tree walk. */
export const leave = (code: TlogRejectionCode, message: string, details?: Rejection['details']): never => refuse(code, message, details === undefined ? {} : { details });

/** Runs work that may `leave`; what it throws besides is passed on. */
export function outcomeOf<T extends object>(work: () => T): Outcome<T> {
  try {
    return { ok: true, ...work() };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, rejection: error.rejection };
    throw error;
  }
}
