// YAML or JSON text to a JSON value, with the place of everything in it. Work is bounded before it is done.
import type { Json } from '@weft/kernel';
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, type Document, type Node, type Pair, type Scalar, type YAMLError } from 'yaml';
import { segmentsOf } from './pointer.js';
import { excerpt } from './words.js';

export const TEXT_BYTES_MAX = 1024 * 1024;
/** Lists and objects within each other, the outermost included. */
export const DEPTH_MAX = 64;
/** Values, aliases expanded. */
export const VALUES_MAX = 20_000;
const TOKENS_MAX = 100_000;
const CHARACTERS_MAX = 1024 * 1024;
const FAULTS_MAX = 20;

/** Line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface SourceFault {
  readonly message: string;
  readonly place?: Place;
}

export interface Source {
  readonly value: Json;
  /** Where a pointer's value is written; for what is missing, where it should be. */
  readonly placeOf: (pointer: string) => Place;
}

export type SourceReading = { readonly ok: true; readonly source: Source } | { readonly ok: false; readonly faults: readonly SourceFault[] };

/** Reads one document. Refuses what JSON cannot hold and what a store would refuse: NUL, unpaired surrogates, endless nesting. */
export function readSource(text: string): SourceReading {
  const problem = textProblem(text);
  if (problem !== undefined) return { ok: false, faults: [{ message: problem }] };
  const lines = new LineCounter();
  // Duplicate keys are found below: the parser's own search compares each key with all others.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false, schema: 'core', merge: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const errors = [...document.errors, ...document.warnings];
  const exhausted = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted) return { ok: false, faults: [{ message: TOO_DEEP, place: placeAt(exhausted.pos[0]) }] };
  if (errors.length > 0) return { ok: false, faults: errors.slice(0, FAULTS_MAX).map((error) => ({ message: yamlSentence(error), place: placeAt(error.pos[0]) })) };
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2')
    return { ok: false, faults: [{ message: `Expected YAML 1.2 but its directive says ${document.directives.yaml.version}` }] };
  const conversion = new Conversion();
  try {
    const value = conversion.convert(document.contents, 0);
    return { ok: true, source: { value, placeOf: (pointer) => placeAt(offsetOf(document, pointer)) } };
  } catch (refused) {
    if (!(refused instanceof Unreadable)) throw refused;
    return { ok: false, faults: [{ message: refused.message, place: placeAt(refused.offset) }] };
  }
}

// YAML allows tab, line feed, carriage return and nothing else below the space.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const BAD_ESCAPE = /\\(?:[^0abt\tnvfre "/\\N_LPxuU\r\n]|x(?![0-9A-Fa-f]{2})|u(?![0-9A-Fa-f]{4})|U(?!00[01][0-9A-Fa-f]{5}))/;
const ESCAPE = /\\(?:x..|u.{4}|U.{8}|\r\n|[\s\S])/g;

function textProblem(text: string): string | undefined {
  const bytes = text.length > TEXT_BYTES_MAX ? text.length : new TextEncoder().encode(text).length;
  if (bytes > TEXT_BYTES_MAX) return `Expected a definition of at most ${TEXT_BYTES_MAX} bytes but it has ${text.length > TEXT_BYTES_MAX ? 'at least ' : ''}${bytes}`;
  const control = CONTROL.exec(text);
  if (control) return `Expected text without control characters but there is U+${hex(control[0])} in line ${text.slice(0, control.index).split('\n').length}`;
  if (!text.isWellFormed()) return 'Expected well-formed Unicode but there is an unpaired surrogate';
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > TOKENS_MAX) return `Expected a definition of at most ${TOKENS_MAX} YAML tokens but it has more`;
    // Each bad escape would cost the parser an error of its own.
    const bad = token.startsWith('"') ? token.match(ESCAPE)?.find((escape) => BAD_ESCAPE.test(escape)) : undefined;
    if (bad !== undefined) return `Expected YAML or JSON but found the unknown escape ${bad} in ${excerpt(token)}`;
  }
  return undefined;
}

const hex = (character: string): string => character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');

function yamlSentence({ code, message }: YAMLError): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'Expected one document but another one begins here';
    case 'TAG_RESOLVE_FAILED':
      return `Expected plain YAML but found a tag it cannot have: ${excerpt(message)}`;
    case 'NON_STRING_KEY':
      return 'Expected keys to be text but found a key that is a list or an object';
    default:
      return `Expected YAML or JSON but found: ${excerpt(message.replace(/\.$/, ''), 200)}`;
  }
}

const TOO_DEEP = `Expected at most ${DEPTH_MAX} levels of nesting but there are more`;

class Unreadable extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

class Conversion {
  readonly #anchors = new Map<string, Node>();
  #values = 0;
  #characters = 0;
  #expanding = 0;

  convert(node: unknown, depth: number): Json {
    if (node === null || node === undefined) return null;
    const offset = offsetOfNode(node);
    if (++this.#values > VALUES_MAX) throw new Unreadable(`Expected at most ${VALUES_MAX} values, aliases expanded, but there are more`, offset);
    if (isAlias(node)) return this.#alias(node.source, offset, depth);
    this.#remember(node);
    if (isScalar(node)) return this.#scalar(node, offset);
    if (depth >= DEPTH_MAX) throw new Unreadable(TOO_DEEP, offset);
    if (isSeq(node)) return node.items.map((item) => this.convert(item, depth + 1));
    if (isMap(node)) return this.#object(node.items, depth, offset);
    throw new Unreadable('Expected YAML or JSON but found something else', offset);
  }

  #alias(name: string, offset: number, depth: number): Json {
    const target = this.#anchors.get(name);
    if (!target) throw new Unreadable(`Expected an anchor before its alias but there is no &${excerpt(name)} above`, offset);
    this.#expanding++;
    const value = this.convert(target, depth);
    this.#expanding--;
    return value;
  }

  // An alias means the anchor that was written last before it: expanding one must not move the others.
  #remember(node: unknown): void {
    const { anchor } = node as { readonly anchor?: string };
    if (anchor !== undefined && this.#expanding === 0) this.#anchors.set(anchor, node as Node);
  }

  #scalar({ value, source }: Scalar, offset: number): Json {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return this.#text(value, offset);
    if (typeof value !== 'number') throw new Unreadable('Expected a JSON value but found one that JSON does not have', offset);
    if (!Number.isFinite(value)) throw new Unreadable(`Expected a number that JSON can hold but found ${source ?? String(value)}`, offset);
    if (/^[-+]?\d+$/.test(source ?? '') && !Number.isSafeInteger(value))
      throw new Unreadable(`Expected an integer of at most ${Number.MAX_SAFE_INTEGER} but found ${excerpt(source ?? '')}, which would lose digits: write it as text, in quotes`, offset);
    return value;
  }

  #text(text: string, offset: number): string {
    if (text.includes('\u0000')) throw new Unreadable('Expected text without NUL but found the character U+0000', offset);
    if (!text.isWellFormed()) throw new Unreadable('Expected well-formed Unicode but found an unpaired surrogate', offset);
    this.#characters += text.length;
    if (this.#characters > CHARACTERS_MAX) throw new Unreadable(`Expected at most ${CHARACTERS_MAX} characters of text, aliases expanded, but there are more`, offset);
    return text;
  }

  #object(pairs: readonly Pair[], depth: number, offset: number): Json {
    const entries = new Map<string, Json>();
    for (const { key, value } of pairs) {
      const at = offsetOfNode(key) || offset;
      if (!isScalar(key) || typeof key.value !== 'string') throw new Unreadable('Expected a key that is text but found none', at);
      const name = this.#text(key.value, at);
      this.#remember(key);
      if (name === '__proto__') throw new Unreadable('Expected a key other than `__proto__`', at);
      if (name === '<<' && key.type === 'PLAIN') throw new Unreadable('Expected plain keys but found the merge key `<<`, which YAML 1.2 does not know', at);
      if (entries.has(name)) throw new Unreadable(`Expected keys that differ but \`${excerpt(name)}\` stands twice in one object`, at);
      entries.set(name, this.convert(value, depth + 1));
    }
    return Object.fromEntries(entries);
  }
}

const offsetOfNode = (node: unknown): number => (node as { readonly range?: readonly number[] | null } | null)?.range?.[0] ?? 0;

/** Offset of a value, or of the nearest thing around it that is written. */
function offsetOf(document: Document, pointer: string): number {
  let node: unknown = document.contents;
  let offset = offsetOfNode(node);
  for (const segment of segmentsOf(pointer)) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === segment) : undefined;
    const next: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(segment)] : undefined;
    if (!pair && next === undefined) break;
    offset = offsetOfNode(pair ? pair.key : next);
    node = next;
  }
  return offset;
}
