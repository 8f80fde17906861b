// The body of an answer as JSON.
import { forbidden } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { ANSWER_BYTES_MAX, type EgressAnswer } from '../egress/egress-client.js';

/** The content as the standard's calls have it: what is neither JSON nor text is given in base64. */
export function callContentOf(answer: EgressAnswer): ContentReading {
  const isText = /^(text\/|application\/xml\b)|[/+](json|xml)\b|charset=/i.test(answer.headers['content-type'] ?? 'text/');
  const reading = contentOf(answer);
  return reading.ok || isText || answer.isTooLong ? reading : { ok: true, content: answer.body.toString('base64') };
}

/** The content, or why it cannot be used. An empty body is null; JSON is parsed where the answer says that it is JSON; text is text. */
export type ContentReading = { readonly ok: true; readonly content: Json } | { readonly ok: false; readonly problem: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function contentOf(answer: EgressAnswer): ContentReading {
  if (answer.isTooLong) return { ok: false, problem: `it is longer than ${ANSWER_BYTES_MAX} bytes` };
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return { ok: false, problem: `it is encoded as ${encoding.slice(0, 40)}, which was not asked for` };
  if (answer.body.length === 0) return { ok: true, content: null };
  let content: Json;
  try {
    const text = utf8.decode(answer.body);
    content = /[/+]json\b/i.test(answer.headers['content-type'] ?? '') ? (JSON.parse(text) as Json) : text;
  } catch (error) {
    return { ok: false, problem: error instanceof SyntaxError ? `it is no JSON: ${error.message}` : 'it is no text in UTF-8' };
  }
  const problem = forbidden(content, '', 0);
  return problem === undefined ? { ok: true, content } : { ok: false, problem };
}
