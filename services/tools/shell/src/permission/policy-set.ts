// Policies made ready: parsed once, validated against the schema, and known by what they read.
import {
  checkParsePolicySet,
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  preparseSchema,
  validate,
  type DetailedError,
  type PolicyJson,
  type ValidationError,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Json } from '@weft/kernel';
import { CEDAR_SCHEMA, joinReads, readsOf, READS_NOTHING, type PolicySource, type Reads } from '@weft/tools/core';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { FileInvalid } from '../registry/files.js';
import { scopeOf, type Asking } from './policy-scope.js';

/** A policy that is in force. */
export interface Policy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly place: string;
  /** What a person is asked, when a forbid may be lifted by one (annotation `@ask("...")`). */
  readonly ask: string | undefined;
  readonly reads: Reads;
  /** Whether its scope can match; conditions are not looked at. */
  readonly isAbout: (asking: Asking) => boolean;
}

export interface PolicySet {
  /** SHA-256 over all policies, hex. */
  readonly digest: string;
  readonly policies: readonly Policy[];
  readonly byId: ReadonlyMap<string, Policy>;
  /** Name under which the engine keeps all policies. */
  readonly allName: string;
  /** Name under which it keeps those that no person can lift. */
  readonly hardName: string;
  /** Name under which it keeps the policies with everything left out that depends on circumstances: what may be used at all. */
  readonly possibleName: string;
}

/** The engine's name of the schema. */
export const SCHEMA_NAME = 'weft';

/** Reads a policies file. @throws FileInvalid */
export const readPoliciesFile = (path: string): readonly PolicySource[] => parsePolicies(readFileSync(path, 'utf8'), path);

/** Reads the text of a policies file into its policies. @throws FileInvalid when it is no Cedar. */
export function parsePolicies(text: string, path: string): readonly PolicySource[] {
  const parsed = checkParsePolicySet({ staticPolicies: text });
  if (parsed.type === 'failure')
    throw new FileInvalid(
      path,
      'Cedar policies',
      parsed.errors.map((error) => sentence(error, text, path)),
    );
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure')
    throw new FileInvalid(
      path,
      'Cedar policies',
      parts.errors.map((error) => sentence(error, text, path)),
    );
  let from = 0;
  // The parts come in no particular order.
  return parts.policies
    .map((policy) => ({ policy, at: text.indexOf(policy) }))
    .sort((left, right) => left.at - right.at)
    .map(({ policy }, index) => {
      const at = text.indexOf(policy, from);
      if (at >= 0) from = at + policy.length;
      const json = policyToJson(policy);
      const id = json.type === 'success' ? json.json.annotations?.['id'] : undefined;
      return { id: id ?? `policy-${index + 1}`, text: policy, place: at < 0 ? path : `${path}:${lineAt(text, at)}` };
    });
}

/** Makes policies ready. @throws FileInvalid with everything that is wrong with them, each with its place. */
export function policySetOf(sources: readonly PolicySource[]): PolicySet {
  const faults: string[] = sources.flatMap(({ id, place }, index) => (sources.findIndex((other) => other.id === id) < index ? [`${place}: another policy has the id ${JSON.stringify(id)}`] : []));
  const texts = Object.fromEntries(sources.map(({ id, text }) => [id, text]));
  const placeOf = new Map(sources.map(({ id, place, text }) => [id, { place, text }]));
  const validated = validate({ schema: CEDAR_SCHEMA, policies: { staticPolicies: texts } });
  if (validated.type === 'failure') faults.push(...validated.errors.map(({ message }) => message));
  else
    faults.push(
      ...inOrder(validated.validationErrors, sources).map(({ policyId, error }) => {
        const known = placeOf.get(policyId);
        return `${known ? deeper(known.place, known.text, error) : policyId}: ${error.message}${error.help ? ` (${error.help})` : ''}`;
      }),
    );
  if (faults.length > 0) throw new FileInvalid(placesOf(sources), 'policies that fit the schema of Weft', faults);
  const digest = createHash('sha256')
    .update(JSON.stringify(sources.map(({ id, text }) => [id, text])))
    .digest('hex');
  const read = sources.map((source) => ({ source, json: jsonOf(source) }));
  const policies = read.map(({ source, json }) => policyOf(source, json));
  const names = { allName: `${digest} all`, hardName: `${digest} hard`, possibleName: `${digest} possible` };
  keep(names.allName, texts);
  keep(names.hardName, Object.fromEntries(sources.filter((_, index) => policies[index]!.ask === undefined).map(({ id, text }) => [id, text])));
  keep(names.possibleName, Object.fromEntries(read.flatMap(({ source, json }) => possible(source, json))));
  const schema = preparseSchema(SCHEMA_NAME, CEDAR_SCHEMA);
  if (schema.type === 'failure') throw new Error(schema.errors.map(({ message }) => message).join('; '));
  return { digest, policies, byId: new Map(policies.map((policy) => [policy.id, policy])), ...names };
}

/** What the policies that are about something read together. */
export const readsAbout = (set: PolicySet, asking: Asking): Reads => joinReads([READS_NOTHING, ...set.policies.filter((policy) => policy.isAbout(asking)).map(({ reads }) => reads)]);

function jsonOf({ id, text }: PolicySource): PolicyJson {
  const answer = policyToJson(text);
  if (answer.type === 'failure') throw new Error(`${id}: ${answer.errors.map(({ message }) => message).join('; ')}`);
  return answer.json;
}

function policyOf({ id, place }: PolicySource, json: PolicyJson): Policy {
  const ask = json.annotations?.['ask'];
  return {
    id,
    effect: json.effect,
    place,
    ask: json.effect === 'forbid' && ask !== undefined ? ask || 'A policy wants a person to agree.' : undefined,
    reads: readsOf(json.conditions as unknown as Json),
    isAbout: scopeOf(json),
  };
}

/** A permit without the conditions that circumstances decide; a forbid only when it depends on none. */
function possible({ id }: PolicySource, json: PolicyJson): [string, PolicyJson][] {
  const isFree = (condition: unknown): boolean => {
    const { attributes, arguments: args, names } = readsOf(condition as Json);
    return attributes.size === 0 && args !== 'all' && args.size === 0 && !names;
  };
  const free = json.conditions.filter(isFree);
  if (json.effect === 'forbid') return free.length < json.conditions.length || json.annotations?.['ask'] !== undefined ? [] : [[id, json]];
  return [[id, { ...json, conditions: free }]];
}

function keep(name: string, policies: Record<string, string | PolicyJson>): void {
  const kept = preparsePolicySet(name, { staticPolicies: policies });
  if (kept.type === 'failure') throw new Error(kept.errors.map(({ message }) => message).join('; '));
}

function sentence({ message, sourceLocations = [], help }: DetailedError, text: string, path: string): string {
  const [location] = sourceLocations;
  const where = location === undefined ? path : `${path}:${lineAt(text, location.start)}`;
  return `${where}: ${message}${location?.label ? `: ${location.label}` : ''}${help ? ` (${help})` : ''}`;
}

/** The engine tells of faults in no particular order. */
const inOrder = (errors: readonly ValidationError[], sources: readonly PolicySource[]): readonly ValidationError[] => {
  const order = new Map(sources.map(({ id }, index) => [id, index]));
  return [...errors].sort((left, right) => (order.get(left.policyId) ?? 0) - (order.get(right.policyId) ?? 0) || (left.error.message < right.error.message ? -1 : 1));
};

/** The place of an error inside a policy whose own place ends with its line. */
function deeper(place: string, text: string, { sourceLocations = [] }: DetailedError): string {
  const line = /^(.*):(\d+)$/.exec(place);
  const [location] = sourceLocations;
  return line === null || location === undefined ? place : `${line[1]}:${Number(line[2]) + lineAt(text, location.start) - 1}`;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

const placesOf = (sources: readonly PolicySource[]): string => [...new Set(sources.map(({ place }) => place.replace(/:\d+$/, '').replace(/^entry \d+ of /, '')))].join(' and ');
