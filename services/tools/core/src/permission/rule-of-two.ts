// The Rule of Two: untrusted input, private data and a change of state never come together without a person.
import { matchesName } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import type { Target } from './permission-request.js';

/** What an execution has seen, as its labels say. */
export interface Exposure {
  /** Labels of sources that nobody vouches for. */
  readonly untrusted: readonly string[];
  /** Labels of private data. */
  readonly private: readonly string[];
}

export const PRIVATE_PREFIX = 'private:';

/** Labels of the private data that a target itself works with: its answer gets them, and its call counts as having them. */
export const ownLabels = (on: Target): readonly string[] => (on.action === 'call' && on.data === 'private' ? [`${PRIVATE_PREFIX}tool:${on.name}`] : []);

/** Reads labels. `isTrusted` says which sources the operator vouches for; private data is no source of its own. */
export function exposureOf(taint: readonly string[], isTrusted: (label: string) => boolean): Exposure {
  return {
    untrusted: taint.filter((label) => !label.startsWith(PRIVATE_PREFIX) && !isTrusted(label)),
    private: taint.filter((label) => label.startsWith(PRIVATE_PREFIX)),
  };
}

/** Why a person has to be asked, whatever policies say; undefined when at most two of the three come together. */
export function ruleOfTwo({ untrusted, private: seen }: Exposure, effect: EffectClass): string | undefined {
  if (untrusted.length === 0 || seen.length === 0 || effect === 'read') return undefined;
  return `It changes something (${effect}) where untrusted input (${some(untrusted)}) meets private data (${some(seen)}): of these three, two at most come together without a person.`;
}

const SHOWN = 5;
const some = (labels: readonly string[]): string => `${labels.slice(0, SHOWN).join(', ')}${labels.length > SHOWN ? ` and ${labels.length - SHOWN} more` : ''}`;

/** Whether a label is one of the patterns, in which `*` stands for any text. */
export function labelMatcher(patterns: readonly string[]): (label: string) => boolean {
  return (label) => patterns.some((pattern) => matchesName(pattern, label));
}
