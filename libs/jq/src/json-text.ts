/** What can be said of JSON text without parsing it. */

/** Words, single characters of structure and texts in quotes. */
const TOKENS = /"(?:[^"\\]|\\.)*"?|[[\]{}:,]|\s+|[^\s"[\]{}:,]+/gs;
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const WORDS = new Set(['true', 'false', 'null', 'nan', 'NaN', '-NaN', '-nan']);

/** How deep arrays and objects nest. */
export function jsonLevels(text: string): number {
  let [levels, deepest, isInText] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (isInText) {
      if (character === 0x5c) at++;
      else if (character === 0x22) isInText = false;
    } else if (character === 0x22) isInText = true;
    else if (character === 0x5b || character === 0x7b) deepest = Math.max(deepest, ++levels);
    else if (character === 0x5d || character === 0x7d) levels--;
  }
  return deepest;
}

/** The first word that JSON does not have, told as jq tells it; undefined when the fault is another. */
export function wordProblem(text: string): string | undefined {
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (/^["[\]{}:,\s]/.test(token) || WORDS.has(token) || NUMBER.test(token)) continue;
    const end = index + token.length;
    const lines = text.slice(0, end).split('\n');
    const column = (lines.at(-1) ?? '').length;
    const what = token.startsWith("'") ? `Invalid string literal; expected ", but got '` : 'Invalid numeric literal';
    // What ends a word is where jq notices it.
    return end === text.length ? `${what} at EOF at line ${lines.length}, column ${column}` : `${what} at line ${lines.length}, column ${column + 1}`;
  }
  return undefined;
}
