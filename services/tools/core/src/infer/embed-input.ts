// The arguments of `embed`: texts of which a model makes vectors.
import { isJsonObject, rejection, type Json } from '@weft/kernel';
import type { InferReading } from './infer-input.js';

/** Texts of one job at most: its answer has to fit into a message. */
export const TEXTS_MAX = 256;

/**
 * Reads `{text}` or `{texts: [...]}`: one to 256 texts that say something. They become the messages of a request for embeddings.
 * Failure code: `input-invalid`.
 */
export function readEmbedInput(args: Json): InferReading {
  if (!isJsonObject(args)) return invalid('they are no object');
  const unknown = Object.keys(args).find((field) => field !== 'text' && field !== 'texts');
  if (unknown !== undefined) return invalid(`there is a field ${JSON.stringify(unknown)}; known are text and texts`);
  const { text, texts } = args;
  if ((text === undefined) === (texts === undefined)) return invalid('there must be either text or texts');
  const given: Json = texts ?? [text!];
  if (!Array.isArray(given) || given.length === 0 || given.length > TEXTS_MAX) return invalid(`texts is no list of 1 to ${TEXTS_MAX} texts`);
  const wrong = (given as readonly Json[]).findIndex((each) => typeof each !== 'string' || each === '');
  if (wrong >= 0) return invalid(texts === undefined ? 'text is no text, or empty' : `texts[${wrong}] is no text, or empty`);
  return { ok: true, input: { embeds: true, messages: (given as readonly string[]).map((content) => ({ role: 'user', content })) } };
}

/** Vectors that a provider gave, or what is wrong with them: as many as there are texts, finite numbers, all of the length that the catalogue tells. */
export function embeddingsProblem(vectors: readonly unknown[], texts: number, dimensions: number): string | undefined {
  if (vectors.length !== texts) return `there are ${vectors.length} embeddings for ${texts} texts`;
  const length = dimensions > 0 ? dimensions : Array.isArray(vectors[0]) ? vectors[0].length : 0;
  const wrong = vectors.findIndex((vector) => !Array.isArray(vector) || vector.length === 0 || vector.length !== length || !vector.every(Number.isFinite));
  return wrong < 0 ? undefined : `embedding ${wrong} is no list of ${length === 0 ? 'numbers' : `${length} numbers`}`;
}

function invalid(what: string): InferReading {
  return { ok: false, failure: rejection('input-invalid', `Expected the arguments of embed but ${what}.`) };
}
