// Is it good enough? A pure judgement over what the schema checker found.
import type { Json } from '@weft/kernel';

/** One thing that a verdict rests on. */
export interface Evidence {
  /** JSON Pointer into the judged value; '' is the value itself. */
  readonly pointer: string;
  /** The rule that was applied: a JSON Schema keyword. */
  readonly rule: string;
  /** What was expected, as a sentence. */
  readonly message: string;
}

/** pass: fit for use; fail: not. The evidence of a pass names what was checked. */
export interface Verdict {
  readonly verdict: 'pass' | 'fail';
  readonly evidence: readonly Evidence[];
  /** SHA-256 of the canonical schema, hex: which rules were applied. */
  readonly schemaDigest: string;
  /** Name of the policy that asked, '' when none did. */
  readonly policy: string;
}

/** What the schema checker found wrong. */
export interface SchemaFinding {
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
}

// A verdict travels with the output it is about: what nobody reads is cut.
const EVIDENCE_MAX = 20;

/** Judges a value by the findings of its schema. */
export function judge(findings: readonly SchemaFinding[], schemaDigest: string, policy: string): Verdict {
  if (findings.length === 0) return { verdict: 'pass', evidence: [{ pointer: '', rule: 'schema', message: `Satisfies schema ${schemaDigest.slice(0, 12)}.` }], schemaDigest, policy };
  const evidence = findings
    .slice(0, EVIDENCE_MAX)
    .map(({ pointer, keyword, message }) => ({ pointer, rule: keyword, message: `Expected ${pointer || 'the value'} to satisfy \`${keyword}\`: ${message}.` }));
  return { verdict: 'fail', evidence, schemaDigest, policy };
}

/** The verdict as the output of the `validate` function. */
export const verdictJson = (verdict: Verdict): Json => ({ ...verdict, evidence: verdict.evidence.map((item) => ({ ...item })) });
