// Who calls: policies and secrets by name, and where a call says how it authenticates.
import { objectOf, type Json, type JsonObject } from '@weft/kernel';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import type { PlacedTask } from './tasks.js';
import { excerpt, names } from './words.js';

/** Where a call of the standard may say how it authenticates, by fields of its arguments. Source: Open Workflow Specification 1.0.3, schema/workflow.yaml. */
export const AUTHENTICATION_PLACES: readonly (readonly string[])[] = [
  ['authentication'],
  ['endpoint', 'authentication'],
  ['document', 'endpoint', 'authentication'],
  ['proto', 'endpoint', 'authentication'],
  ['service', 'authentication'],
  ['server', 'authentication'],
  ['agentCard', 'endpoint', 'authentication'],
  ['transport', 'http', 'endpoint', 'authentication'],
];

/** Names of policies and secrets that mean nothing, and grants that need a browser. */
export function authenticationProblems(document: JsonObject, tasks: readonly PlacedTask[]): readonly Problem[] {
  const use = objectOf(document['use']);
  const declared = Object.entries(objectOf(use['authentications'])).flatMap(([name, policy]) => policyProblems(policy, pointerTo('/use/authentications', name), use));
  const called = tasks
    .filter(({ kind }) => kind === 'call')
    .flatMap(({ task, pointer }) => AUTHENTICATION_PLACES.flatMap((place) => placeProblems(objectOf(task['with']), place, `${pointer}/with`, use)));
  return [...declared, ...called];
}

function placeProblems(args: JsonObject, place: readonly string[], pointer: string, use: JsonObject): readonly Problem[] {
  const policy = place.reduce<Json | undefined>((value, field) => objectOf(value)[field], args);
  const at = pointerTo(pointer, ...place);
  const { use: name } = objectOf(policy);
  if (typeof name === 'string') return undeclared(name, `${at}/use`, 'authentications', use['authentications']);
  return policyProblems(policy, at, use);
}

function policyProblems(policy: Json | undefined, pointer: string, use: JsonObject): readonly Problem[] {
  return Object.entries(objectOf(policy)).flatMap(([scheme, given]) => {
    const { use: secret, grant } = objectOf(given);
    const at = pointerTo(pointer, scheme);
    if (typeof secret === 'string') return undeclared(secret, `${at}/use`, 'secrets', use['secrets']);
    if (grant !== 'authorization_code') return [];
    return [
      {
        pointer: `${at}/grant`,
        message: `Expected a grant that needs no browser, such as \`client_credentials\`, at ${at}/grant but found \`authorization_code\`, which only a person in front of one can give`,
      },
    ];
  });
}

/** A name that its section of `use` does not have. @param section an object by name, or a list of names. */
export function undeclared(name: string, pointer: string, section: string, declared: Json | undefined): readonly Problem[] {
  const known = Array.isArray(declared) ? declared.map(String) : Object.keys(objectOf(declared));
  if (known.includes(name)) return [];
  return [
    {
      pointer,
      message: `Expected a name that \`use.${section}\` declares at ${pointer} but found ${JSON.stringify(excerpt(name))}${known.length > 0 ? `; declared: ${names(known)}` : `, and there is no \`use.${section}\``}`,
    },
  ];
}
