// From a parsed document to a route table, with every fault named at its place.
import type { Json } from '@weft/kernel';
import { Place } from './place.js';
import { isJsonPointer } from './json-pointer.js';
import { CAPABILITIES, DIALECTS, type Capability, type CatalogueModel, type Condition, type HedgeChoice, type ModelChoice, type Route, type RouteTable } from './route-table.js';

export type TableReading = { readonly ok: true; readonly table: RouteTable } | { readonly ok: false; readonly faults: readonly string[] };

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/;
// The form that Open Workflow documents give to namespaces and names.
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const VERSION = /^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/;
const PATTERN = /^[^*\u0000]{1,256}\*?$|^\*$/;
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const ENDPOINT = /^https?:\/\/[^\s/]+(\/\S*)?$/;
const NOT_EMPTY = /^[^\u0000]{1,256}$/;

/** Reads a route table. @returns the table, or every fault as `place: expected ... but ...`. */
export function readRouteTable(document: Json): TableReading {
  const faults: string[] = [];
  const root = new Place('', document, faults);
  if (!root.object(['version', 'models', 'routes'], 'an object with version, models and routes')) return { ok: false, faults };
  if (root.field('version').value !== 1) root.field('version').expected('1');
  const models = listOf(root.field('models'), 'a list of models').map(readModel);
  const routes = listOf(root.field('routes'), 'a list of routes').map((place) => readRoute(place, new Set(models.map(({ id }) => id))));
  unique(root.field('models'), 'id');
  unique(root.field('routes'), 'name');
  return faults.length > 0 ? { ok: false, faults } : { ok: true, table: { version: 1, models, routes } };
}

// A missing list is an empty one.
const listOf = (place: Place, what: string): Place[] => (place.value === undefined ? [] : place.items(what));

function readModel(place: Place): CatalogueModel {
  const fields = ['id', 'endpoint', 'model', 'keySecret', 'simulated', 'capabilities', 'tier', 'pricePerMillionTokens', 'dialect', 'contextTokens', 'outputTokensMax', 'dimensions', 'limits'];
  if (!place.object(fields, 'a model: id, endpoint, model, capabilities')) return { id: '', endpoint: '', model: '', capabilities: [] };
  const simulated = place.field('simulated');
  if (simulated.value !== undefined && typeof simulated.value !== 'boolean') simulated.expected('true or false');
  const keySecret = place.field('keySecret').optionalText(NAME, 'the name of a secret');
  const tier = place.field('tier').optionalText(NAME, 'the name of a privacy tier');
  const price = readPrice(place.field('pricePerMillionTokens'));
  const dialect = place.field('dialect').value === undefined ? undefined : place.field('dialect').word(DIALECTS);
  return {
    id: place.field('id').text(NAME, 'an id of letters, digits, ".", "_" and "-"'),
    endpoint: place.field('endpoint').text(ENDPOINT, 'an http or https URL'),
    model: place.field('model').text(NOT_EMPTY, "the provider's name of the model"),
    capabilities: readCapabilities(place.field('capabilities')),
    ...(keySecret === undefined ? {} : { keySecret }),
    ...(typeof simulated.value === 'boolean' ? { simulated: simulated.value } : {}),
    ...(tier === undefined ? {} : { tier }),
    ...(price === undefined ? {} : { pricePerMillionTokens: price }),
    ...(dialect === undefined ? {} : { dialect }),
    ...counts(place, ['contextTokens', 'outputTokensMax', 'dimensions']),
    ...readLimits(place.field('limits')),
  };
}

function readLimits(place: Place): Pick<CatalogueModel, 'limits'> {
  const names = ['concurrency', 'requestsPerMinute', 'tokensPerMinute'] as const;
  if (place.value === undefined || !place.object(names)) return {};
  return { limits: counts(place, names) };
}

/** Those of the fields that are there, each an integer from 1. */
function counts<N extends string>(place: Place, names: readonly N[]): { readonly [name in N]?: number } {
  const found: { [name in N]?: number } = {};
  for (const name of names) {
    const { value } = place.field(name);
    if (value === undefined) continue;
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1e12) found[name] = value as number;
    else place.field(name).expected('an integer from 1');
  }
  return found;
}

function readPrice(place: Place): { input: number; output: number } | undefined {
  if (place.value === undefined) return undefined;
  if (!place.object(['input', 'output'], 'an object with input and output')) return undefined;
  const amount = (part: Place): number => {
    if (typeof part.value === 'number' && part.value >= 0) return part.value;
    part.expected('a number that is not negative');
    return 0;
  };
  return { input: amount(place.field('input')), output: amount(place.field('output')) };
}

function readCapabilities(place: Place): Capability[] {
  return listOf(place, `a list of ${CAPABILITIES.join(', ')}`).flatMap((item) => item.word(CAPABILITIES) ?? []);
}

function readRoute(place: Place, modelIds: ReadonlySet<string>): Route {
  const nothing: Route = { name: '', when: { type: '' }, workflow: { namespace: '', name: '' } };
  if (!place.object(['name', 'when', 'workflow', 'models'], 'a route: name, when, workflow')) return nothing;
  const workflow = place.field('workflow');
  workflow.object(['namespace', 'name', 'version'], 'an object with namespace and name');
  const version = workflow.field('version').optionalText(VERSION, 'a semantic version such as "1.0.0"');
  const models = place.field('models');
  return {
    name: place.field('name').text(NAME, 'a name of letters, digits, ".", "_" and "-"'),
    when: readCondition(place.field('when')),
    workflow: {
      namespace: workflow.field('namespace').text(LABEL, 'a namespace of a-z, 0-9 and "-"'),
      name: workflow.field('name').text(LABEL, 'a workflow name of a-z, 0-9 and "-"'),
      ...(version === undefined ? {} : { version }),
    },
    ...(models.value === undefined ? {} : { models: readModelChoice(models, modelIds) }),
  };
}

function readCondition(place: Place): Condition {
  if (!place.object(['type', 'source', 'tenant', 'data'], 'an object with type')) return { type: '' };
  const source = place.field('source').optionalText(PATTERN, 'an event source, or a prefix of it and "*"');
  const tenant = place.field('tenant').optionalText(TENANT, 'the name of a tenant');
  const data = place.field('data');
  const conditions = data.value === undefined ? undefined : data.object('any', 'an object from JSON Pointers to values');
  for (const pointer of Object.keys(conditions ?? {})) {
    if (!isJsonPointer(pointer)) data.field(pointer).expected('a JSON Pointer such as "/order/total" as the field name');
  }
  return {
    type: place.field('type').text(PATTERN, 'an event type, or a prefix of it and "*"'),
    ...(source === undefined ? {} : { source }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(conditions === undefined ? {} : { data: conditions }),
  };
}

function readModelChoice(place: Place, modelIds: ReadonlySet<string>): ModelChoice {
  if (!place.object(['prefer', 'require', 'tiers', 'hedge'], 'an object with prefer, require, tiers or hedge')) return {};
  const prefer = place.field('prefer').value === undefined ? undefined : place.field('prefer').items('a list of model ids');
  for (const item of prefer ?? []) {
    if (typeof item.value !== 'string' || !modelIds.has(item.value)) item.expected(`the id of a model of this table (${[...modelIds].join(', ') || 'it has none'})`);
  }
  const tiers = place.field('tiers').value === undefined ? undefined : place.field('tiers').items('a list of privacy tiers');
  return {
    ...(prefer === undefined ? {} : { prefer: prefer.map((item) => String(item.value)) }),
    ...(place.field('require').value === undefined ? {} : { require: readCapabilities(place.field('require')) }),
    ...(tiers === undefined ? {} : { tiers: tiers.map((item) => item.text(NAME, 'the name of a privacy tier')) }),
    ...readHedge(place.field('hedge')),
  };
}

function readHedge(place: Place): { readonly hedge?: HedgeChoice } {
  if (place.value === undefined || !place.object(['percentile', 'afterMs'], 'an object with percentile or afterMs')) return {};
  const hedge = counts(place, ['percentile', 'afterMs']);
  if ((hedge.percentile ?? 1) > 99) place.field('percentile').expected('an integer from 1 to 99');
  if (hedge.percentile === undefined && hedge.afterMs === undefined) place.expected('percentile, afterMs or both');
  return { hedge };
}

function unique(list: Place, name: string): void {
  const seen = new Set<Json>();
  for (const item of Array.isArray(list.value) ? list.items('') : []) {
    const field = item.field(name);
    if (field.value === undefined) continue;
    if (seen.has(field.value)) field.expected(`${name} to be one that no other entry has`);
    seen.add(field.value);
  }
}
