import type { Json } from '@weft/kernel';
import { textsIn, type LintRule } from '../lint-rule.js';

/** Where a text is a value, and an expression only in `${ }`. */
const VALUES: readonly string[] = ['set', 'with', 'emit', 'run', 'raise'];
const LIKE_JQ = /^\s*(?:\.[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*|\[\d*\])*|\$(?:context|input|output|workflow|task|runtime|secrets|error|item|index)\b.*)\s*$/;

export const textLikeExpression: LintRule = {
  id: 'text-like-expression',
  severity: 'warning',
  summary: 'A text looks like jq but stands where only `${ }` makes an expression, so it is sent as it is written.',
  check: ({ tasks }) =>
    tasks.flatMap(({ pointer, task }) =>
      VALUES.flatMap((field) => textsIn(task[field] as Json | undefined, `${pointer}/${field}`))
        .filter(({ pointer: at, text }) => LIKE_JQ.test(text) && !/\/(?:do|try|filter|while|until|schema|form|code|command)(?:\/|$)/.test(at.slice(pointer.length)))
        .map(({ pointer: at, text }) => ({ pointer: at, message: `Expected "\${ ${text.trim()} }" at ${at}, if an expression is meant, but found the text ${JSON.stringify(text)}` })),
    ),
};
