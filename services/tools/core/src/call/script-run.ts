// The standard's `run: script`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#script-process.
import type { Json } from '@weft/kernel';
import { reading, type Reading, type ResourceReference } from './fields.js';
import { readProcessInput, type ProcessInput } from './process.js';

/** js: ES2024 in the sandbox. python: by the interpreter that the operator names. */
export type ScriptLanguage = 'js' | 'python';

export interface ScriptRun extends ProcessInput {
  readonly language: ScriptLanguage;
  /** What is written in the document, or where it lies. */
  readonly code: string | ResourceReference;
}

/** The text of the standard says `js`, its example `javascript`. */
const LANGUAGES = ['js', 'javascript', 'python'] as const;

export function readScriptRun(args: Json): Reading<ScriptRun> {
  return reading('a script', args, (fields) => ({
    ...readProcessInput(fields),
    language: fields.oneOf('language', LANGUAGES) === 'python' ? 'python' : 'js',
    code: fields.textOr('code', undefined) ?? fields.resource('source'),
  }));
}
