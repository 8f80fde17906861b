// YAML or JSON of strangers as a value. What it may cost is bounded before it is parsed: the parser holds up everything else meanwhile.
import type { Json } from '@weft/kernel';
import { Lexer, parseDocument } from 'yaml';

const TOKENS_MAX = 1_000_000;
/** Lists and objects in brackets within each other. */
const BRACKETS_MAX = 200;
const ALIASES_MAX = 100;

/** Of keys that come twice the last one counts, as in JSON. @throws Error saying what is wrong with it. */
export function foreignYaml(text: string): Json {
  try {
    // Most are JSON, which is read a hundred times faster as such.
    return JSON.parse(text) as Json;
  } catch {
    const problem = costProblem(text);
    if (problem !== undefined) throw new Error(problem);
    // The parser's own search for keys that come twice compares each with all others.
    const document = parseDocument(text, { merge: false, uniqueKeys: false });
    const [fault] = document.errors;
    if (fault) throw new Error(fault.message.split('\n')[0] ?? 'it cannot be read');
    return document.toJS({ maxAliasCount: ALIASES_MAX }) as Json;
  }
}

function costProblem(text: string): string | undefined {
  let [tokens, brackets] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (++tokens > TOKENS_MAX) return `it has more than ${TOKENS_MAX} tokens of YAML`;
    if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets = Math.max(0, brackets - 1);
    if (brackets > BRACKETS_MAX) return `it is nested deeper than ${BRACKETS_MAX} levels`;
  }
  return undefined;
}
