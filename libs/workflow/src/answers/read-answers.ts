// Answers that take the place of what a document would call: read from YAML, every fault with its place.
import { isJsonObject, rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { ERROR_TYPES, canonicalErrorType } from '../error-type.js';
import { pointerTo } from '../pointer.js';
import { readSource, type Place } from '../source.js';
import { found, names } from '../words.js';

/** What a call is answered with: an output, or an error that it raises. */
export type Answering = { readonly output: Json } | { readonly error: AnsweredError };

export interface AnsweredError {
  /** One of the eight standard types, in its canonical form: a call raises no other. */
  readonly type: string;
  readonly status?: number;
  readonly title?: string;
  readonly detail?: string;
}

/** Answers for some calls. The first of a file that fits a call is taken. */
export interface Answer {
  /** Pointer of a task, or its name. */
  readonly task?: string;
  /** Kind of a call: http, infer, shell ... */
  readonly call?: string;
  /** What the call's arguments must hold: of an object these fields at least, anything else equal. */
  readonly with?: JsonObject;
  /** One for each call; the last repeats. */
  readonly answers: readonly Answering[];
}

/** Texts of what lies elsewhere, by URI as documents write it. */
export type GivenResources = ReadonlyMap<string, string>;

export type AnswersReading = { readonly ok: true; readonly answers: readonly Answer[]; readonly resources: GivenResources } | { readonly ok: false; readonly rejections: readonly Rejection[] };

interface Fault {
  readonly pointer: string;
  readonly message: string;
}

const KEYS: readonly string[] = ['task', 'call', 'with', 'output', 'outputs', 'error'];
const ERROR_KEYS: readonly string[] = ['type', 'status', 'title', 'detail'];

/** Reads `answers:` and `resources:` of a YAML or JSON file. Rejections: `answers-invalid`, with pointer, line and column. */
export function readAnswers(text: string): AnswersReading {
  const reading = readSource(text);
  if (!reading.ok) return { ok: false, rejections: reading.faults.map(({ message, place }) => refused({ pointer: '', message }, place)) };
  const { value, placeOf } = reading.source;
  const faults: Fault[] = [];
  const answers = answersIn(value, faults);
  const resources = resourcesIn(value, faults);
  if (faults.length > 0) return { ok: false, rejections: faults.map((fault) => refused(fault, placeOf(fault.pointer))) };
  return { ok: true, answers, resources };
}

const refused = ({ pointer, message }: Fault, place?: Place): Rejection =>
  rejection('answers-invalid', `${message}${place ? ` (line ${place.line}, column ${place.column})` : ''}.`, { details: { pointer, ...place } });

function answersIn(value: Json, faults: Fault[]): readonly Answer[] {
  const list = isJsonObject(value) ? value['answers'] : undefined;
  if (!isJsonObject(value) || !Array.isArray(list)) {
    faults.push({ pointer: '', message: `Expected an object with a list \`answers\` but found ${found(isJsonObject(value) ? list : value)}` });
    return [];
  }
  unknownKeys(value, ['answers', 'resources'], '', faults);
  return (list as readonly Json[]).flatMap((entry, i) => answerIn(entry, pointerTo('/answers', i), faults));
}

/** A resource is given as its text, or as the value that it is as JSON. */
function resourcesIn(value: Json, faults: Fault[]): GivenResources {
  const given = (isJsonObject(value) ? value['resources'] : undefined) ?? {};
  if (!isJsonObject(given)) {
    faults.push(wrong('/resources', 'texts by URI', given));
    return new Map();
  }
  return new Map(Object.entries(given).map(([uri, content]) => [uri, typeof content === 'string' ? content : JSON.stringify(content)]));
}

function answerIn(entry: Json, pointer: string, faults: Fault[]): readonly Answer[] {
  if (!isJsonObject(entry)) {
    faults.push({ pointer, message: `Expected an answer { task or call, with?, output, outputs or error } at ${pointer} but found ${found(entry)}` });
    return [];
  }
  unknownKeys(entry, KEYS, pointer, faults);
  const { task, call, with: wanted } = entry;
  for (const [key, value] of Object.entries({ task, call })) if (value !== undefined && (typeof value !== 'string' || value === '')) faults.push(wrong(`${pointer}/${key}`, 'text', value));
  if (task === undefined && call === undefined) faults.push({ pointer, message: `Expected \`task\` or \`call\`, which say what is answered, at ${pointer} but found neither` });
  if (wanted !== undefined && !isJsonObject(wanted)) faults.push(wrong(`${pointer}/with`, 'an object', wanted));
  const answers = answeringsIn(entry, pointer, faults);
  return [{ ...(typeof task === 'string' ? { task } : {}), ...(typeof call === 'string' ? { call } : {}), ...(isJsonObject(wanted) ? { with: wanted } : {}), answers }];
}

function answeringsIn(entry: JsonObject, pointer: string, faults: Fault[]): readonly Answering[] {
  const given = ['output', 'outputs', 'error'].filter((key) => Object.hasOwn(entry, key));
  if (given.length !== 1) {
    faults.push({ pointer, message: `Expected one of \`output\`, \`outputs\` and \`error\` at ${pointer} but found ${given.length === 0 ? 'none' : names(given)}` });
    return [];
  }
  if (given[0] === 'output') return [{ output: entry['output']! }];
  if (given[0] === 'error') return errorIn(entry['error']!, `${pointer}/error`, faults);
  const outputs = entry['outputs'];
  if (Array.isArray(outputs) && outputs.length > 0) return (outputs as readonly Json[]).map((output) => ({ output }));
  faults.push(wrong(`${pointer}/outputs`, 'a list with at least one output', outputs));
  return [];
}

function errorIn(error: Json, pointer: string, faults: Fault[]): readonly Answering[] {
  if (!isJsonObject(error)) {
    faults.push(wrong(pointer, 'an error { type, status?, title?, detail? }', error));
    return [];
  }
  unknownKeys(error, ERROR_KEYS, pointer, faults);
  const { type, status, title, detail } = error;
  const canonical = typeof type === 'string' ? canonicalErrorType(type) : '';
  if (!Object.values(ERROR_TYPES).some((standard) => standard.type === canonical)) {
    const types = Object.values(ERROR_TYPES).map((standard) => standard.type);
    faults.push({ pointer: `${pointer}/type`, message: `Expected one of the standard's error types, such as ${types[0]}, at ${pointer}/type but found ${found(type)}: a call raises no other` });
  }
  if (status !== undefined && !Number.isInteger(status)) faults.push(wrong(`${pointer}/status`, 'a status', status));
  for (const [key, value] of Object.entries({ title, detail })) if (value !== undefined && typeof value !== 'string') faults.push(wrong(`${pointer}/${key}`, 'text', value));
  return [{ error: { ...error, type: canonical } as AnsweredError }];
}

const wrong = (pointer: string, expected: string, value: Json | undefined): Fault => ({ pointer, message: `Expected ${expected} at ${pointer} but found ${found(value)}` });

function unknownKeys(value: JsonObject, known: readonly string[], pointer: string, faults: Fault[]): void {
  for (const key of Object.keys(value))
    if (!known.includes(key)) faults.push({ pointer: pointerTo(pointer, key), message: `Expected one of ${names(known)} at ${pointer || '/'} but found \`${key}\`` });
}
