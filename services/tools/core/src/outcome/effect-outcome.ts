// What one sending tells about the effect behind it, whatever carried it.
import type { Failure } from '@weft/kernel';

/**
 * confirmed: it happened; failed: it is known not to have happened; unknown: it may have.
 * `failed` needs proof: nothing was sent, or the receiver refused before doing anything. Everything else is `unknown`.
 */
export type EffectOutcome = { readonly kind: 'confirmed' } | { readonly kind: 'failed' | 'unknown'; readonly failure: Failure };
