// An OpenAPI document and what it refers to, as one list of documents whose references say which of them they mean.
import { readFile, realpath } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { upgrade } from '@scalar/openapi-parser';
import { isJsonObject, type Json } from '@weft/kernel';
import { withBodyParameters, type Documents } from '@weft/tools/core';
import type { EgressClient } from '../egress/egress-client.js';
import { foreignYaml } from '../resource/foreign-yaml.js';
import { SourceUnavailable } from '../source/tool-source.js';

/** Where documents come from. */
export interface DocumentPorts {
  readonly egress: EgressClient;
  /** Named in refusals. */
  readonly source: string;
  readonly signal: AbortSignal;
  /** Origins that documents may come from besides the operator's list. Default: that of the first one, if it is from the network. */
  readonly origins?: readonly string[];
}

const DOCUMENTS_MAX = 50;
const BYTES_MAX = 8 * 1024 * 1024;
const PARTS_MAX = 1_000_000;
const DEPTH_MAX = 200;
const LOAD_MS = 15_000;

/**
 * Loads the document at a URL (`file:` or http) in any version from 2.0 on, brought to 3.1, and everything that it refers to.
 * A document from the network refers to its own origin and what the operator's egress list names; a file to files of its folder, too.
 * @param text of the document itself, where it is known already.
 * @throws SourceUnavailable saying what is wrong with which.
 */
export async function loadDocuments(root: URL, ports: DocumentPorts, text?: string): Promise<Documents> {
  const numbers = new Map<string, number>([[root.href, 0]]);
  const queue = [root];
  const documents: Json[] = [];
  const budget = { bytes: BYTES_MAX, parts: PARTS_MAX };
  for (let at = 0; at < queue.length; at++) {
    const url = queue[at]!;
    const parsed = parse(at === 0 && text !== undefined ? text : await read(url, root, ports, budget), url, ports.source);
    const document = at === 0 ? upgraded(parsed, url, ports.source) : parsed;
    const numberOf = (reference: string): string => {
      const target = new URL(reference, url);
      const pointer = target.hash.slice(1);
      target.hash = '';
      let number = numbers.get(target.href);
      if (number === undefined) {
        number = queue.length;
        if (number >= DOCUMENTS_MAX) throw unusable(ports.source, url, `it refers to more than ${DOCUMENTS_MAX} documents`);
        numbers.set(target.href, number);
        queue.push(target);
      }
      return `${number}#${pointer}`;
    };
    documents.push(numbered(document, numberOf, budget, DEPTH_MAX, (problem) => unusable(ports.source, url, problem)));
  }
  return documents;
}

/** The value with its references numbered. */
function numbered(value: Json, numberOf: (reference: string) => string, budget: { parts: number }, left: number, unfit: (problem: string) => Error): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (--budget.parts < 0) throw unfit(`it has more than ${PARTS_MAX} parts`);
  if (left === 0) throw unfit(`it is nested deeper than ${DEPTH_MAX} levels`);
  if (!isJsonObject(value)) return (value as readonly Json[]).map((item) => numbered(item, numberOf, budget, left - 1, unfit));
  const copy: Record<string, Json> = {};
  for (const [name, part] of Object.entries(value)) {
    const isReference = name === '$ref' && typeof part === 'string';
    const made = isReference ? referenceOf(part, numberOf, unfit) : numbered(part, numberOf, budget, left - 1, unfit);
    Object.defineProperty(copy, name, { value: made, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function referenceOf(text: string, numberOf: (reference: string) => string, unfit: (problem: string) => Error): string {
  try {
    return numberOf(text);
  } catch (error) {
    if (error instanceof SourceUnavailable) throw error;
    throw unfit(`its reference ${JSON.stringify(text.slice(0, 200))} is none`);
  }
}

async function read(url: URL, root: URL, { egress, source, signal, origins = root.protocol === 'file:' ? [] : [root.origin] }: DocumentPorts, budget: { bytes: number }): Promise<string> {
  let bytes: Buffer;
  if (url.protocol === 'file:') {
    if (root.protocol !== 'file:' || !(await isBelow(url, root))) throw unusable(source, url, 'it is not in the folder of the document that refers to it');
    bytes = await readFile(url).catch((error: Error) => {
      throw unusable(source, url, error.message);
    });
  } else {
    const sender = { name: `source ${source}`, origins, mayGoAnywherePublic: false };
    const headers = { accept: 'application/json, application/yaml, */*;q=0.5' };
    const answer = await egress.stream({ method: 'GET', url: url.href, headers, sender, timeoutMs: LOAD_MS, mayRepeat: true, signal, bytesMax: Math.max(1, budget.bytes) });
    if (answer.kind !== 'streaming') throw unusable(source, url, answer.message);
    if (answer.status !== 200) {
      answer.discard();
      throw unusable(source, url, `it is answered with HTTP ${answer.status}`);
    }
    try {
      const pieces: Buffer[] = [];
      for await (const piece of answer.body) pieces.push(piece);
      bytes = Buffer.concat(pieces);
    } catch (error) {
      throw unusable(source, url, (error as Error).message);
    }
  }
  budget.bytes -= bytes.length;
  if (budget.bytes < 0) throw unusable(source, url, `all documents together are longer than ${BYTES_MAX} bytes`);
  return bytes.toString('utf8');
}

async function isBelow(url: URL, root: URL): Promise<boolean> {
  try {
    const path = relative(dirname(await realpath(fileURLToPath(root))), await realpath(fileURLToPath(url)));
    return !path.startsWith('..');
  } catch {
    return false;
  }
}

function parse(text: string, url: URL, source: string): Json {
  try {
    return foreignYaml(text);
  } catch (error) {
    throw unusable(source, url, (error as Error).message);
  }
}

function upgraded(document: Json, url: URL, source: string): Json {
  const version = isJsonObject(document) ? (document['openapi'] ?? document['swagger']) : undefined;
  if (typeof version !== 'string' || !/^(2\.0|3\.[012])/.test(version))
    throw unusable(source, url, `expected an OpenAPI document of version 2.0 to 3.2 but it names ${JSON.stringify(version ?? null)}`);
  try {
    return upgrade(structuredClone(withBodyParameters(document)) as Record<string, unknown>).specification as unknown as Json;
  } catch (error) {
    throw unusable(source, url, `it cannot be brought to OpenAPI 3.1: ${(error as Error).message}`);
  }
}

const unusable = (source: string, url: URL, problem: string): SourceUnavailable =>
  new SourceUnavailable(`Expected an OpenAPI document of source ${source} at ${url.protocol === 'file:' ? fileURLToPath(url) : url.href} but ${problem}.`);
