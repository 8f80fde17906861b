// Functions of a definition's own, of its catalogues and of addresses: a function is a task, run inside the activation that calls it.
import { Defect, isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { readSource } from '@weft/workflow';
import type { Resources } from './program.js';

/** Functions that call functions: how deep at most. */
export const FUNCTION_DEPTH_MAX = 16;

const CATALOGUED = /^([^:@\s]+):([^:@\s]+)@([^:@\s]+)$/;
const ADDRESS = /^https?:\/\/\S+$/;

/**
 * The task that a call names, unless it is one of the engine's own. A definition's own functions come first, then its catalogues.
 * @throws Defect when publish has not locked the document that it is in.
 */
export function functionOf(call: string, use: JsonObject, resources: Resources): JsonObject | undefined {
  const own = fieldOf(use['functions'], call);
  if (own) return own;
  const uri = ADDRESS.test(call) ? call : cataloguedUri(call, use);
  return uri === undefined ? undefined : lockedFunction(uri, resources);
}

/** Where a catalogue keeps a function; undefined when the definition has no such catalogue. Source: Open Workflow Specification, dsl.md#catalogs. */
export function cataloguedUri(call: string, use: JsonObject): string | undefined {
  const [, name, version, catalog] = CATALOGUED.exec(call) ?? [];
  const endpoint = catalog === undefined ? undefined : fieldOf(use['catalogs'], catalog)?.['endpoint'];
  const base = isJsonObject(endpoint) ? endpoint['uri'] : endpoint;
  return typeof base === 'string' ? `${base.replace(/\/+$/, '')}/functions/${name}/${version}/function.yaml` : undefined;
}

function lockedFunction(uri: string, resources: Resources): JsonObject {
  const content = resources.get(uri)?.content ?? null;
  const task = typeof content === 'string' ? valueOf(content) : content;
  if (!isJsonObject(task)) throw new Defect(`no function is locked for ${uri}`);
  return task;
}

const fieldOf = (section: Json | undefined, name: string): JsonObject | undefined => {
  const found = isJsonObject(section) && Object.hasOwn(section, name) ? section[name] : undefined;
  return isJsonObject(found) ? found : undefined;
};

function valueOf(text: string): Json {
  const reading = readSource(text);
  return reading.ok ? reading.source.value : null;
}
