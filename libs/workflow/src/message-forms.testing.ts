// The messages of the validator as its sources write them: texts and templates that begin with "Expected".
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One message as it is written, and how it is recognised. */
export interface MessageForm {
  /** File and line. */
  readonly place: string;
  /** The text with `…` for what differs. */
  readonly text: string;
  readonly pattern: RegExp;
  /** Characters that do not differ: of several forms that fit, the one with the most is meant. */
  readonly fixed: number;
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** The messages that the validator can give. */
export function messageForms(): readonly MessageForm[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts') && !/\.(?:spec|testing)\.ts$/.test(file));
  return files.flatMap((file) => formsIn(file, withoutComments(readFileSync(`${FOLDER}/${file}`, 'utf8'))));
}

/** The form that a message has, or undefined when none fits. */
export function formOf(message: string, forms: readonly MessageForm[]): MessageForm | undefined {
  return forms.filter(({ pattern }) => pattern.test(message)).toSorted((a, b) => b.fixed - a.fixed)[0];
}

const withoutComments = (source: string): string => source.replaceAll(/^[ \t]*(?:\/\/|\/?\*).*$/gm, '');

function formsIn(file: string, source: string): readonly MessageForm[] {
  return [...source.matchAll(/[`'](?=Expected )/g)].map(({ index, 0: quote }) => {
    const pieces = quote === "'" ? [source.slice(index + 1, source.indexOf("'", index + 1))] : piecesOf(source, index + 1);
    const place = `${file}:${source.slice(0, index).split('\n').length}`;
    return { place, text: pieces.join('…').replace(/\.$/, ''), pattern: patternOf(pieces), fixed: pieces.join('').length };
  });
}

/** The place of what was judged may stand before the `but`, and the full stop may be elsewhere. */
function patternOf(pieces: readonly string[]): RegExp {
  const written = pieces.map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll(/,? but /g, '(?:,| at \\S+)? but '));
  return new RegExp(`^${written.join('[\\s\\S]*?').replace(/\\\.$/, '')}\\.?$`);
}

/** What stands between the expressions of a template that begins here. */
function piecesOf(source: string, start: number): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  for (let at = start; at < source.length; at++) {
    if (source[at] === '`') return [...pieces, piece];
    if (source[at] === '\\') {
      piece += source[++at];
    } else if (source.startsWith('${', at)) {
      at = endOfExpression(source, at + 2);
      pieces.push(piece);
      piece = '';
    } else piece += source[at];
  }
  return [...pieces, piece];
}

/** Where the brace is that ends an expression in a template; templates inside it are passed over. */
function endOfExpression(source: string, start: number): number {
  let depth = 0;
  for (let at = start; at < source.length; at++) {
    if (source[at] === '`') at = endOfTemplate(source, at + 1);
    else if (source[at] === '{') depth++;
    else if (source[at] === '}' && depth-- === 0) return at;
  }
  return source.length;
}

function endOfTemplate(source: string, start: number): number {
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`') return at;
    else if (source.startsWith('${', at)) at = endOfExpression(source, at + 2);
  }
  return source.length;
}
