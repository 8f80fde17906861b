// Authentication policies of a call: the policy itself in place of its name, and secrets as expressions that wait for the worker.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { AUTHENTICATION_PLACES } from '@weft/workflow';

/** The arguments with each policy written out. @param use the document's `use`. */
export function expandedAuthentication(args: Json, use: JsonObject): Json {
  return AUTHENTICATION_PLACES.reduce((changed, place) => changedAt(changed, place, (policy) => expandedPolicy(policy, use)), args);
}

function changedAt(value: Json, [name, ...rest]: readonly string[], change: (part: Json) => Json): Json {
  if (name === undefined) return change(value);
  if (!isJsonObject(value) || value[name] === undefined) return value;
  const part = value[name];
  const changed = changedAt(part, rest, change);
  return changed === part ? value : { ...value, [name]: changed };
}

/** A policy, or the name of one in `use.authentications`, as the worker gets it. */
export function expandedPolicy(given: Json, use: JsonObject): Json {
  const known = isJsonObject(use['authentications']) ? use['authentications'] : {};
  const name = isJsonObject(given) ? given['use'] : given;
  const policy = typeof name === 'string' && Object.hasOwn(known, name) ? known[name]! : given;
  if (!isJsonObject(policy)) return policy;
  return Object.fromEntries(Object.entries(policy).map(([scheme, fields]) => [scheme, ofSecret(fields)]));
}

/** `{use: NAME}` of a scheme means the secret of that name, which has the scheme's fields. */
const ofSecret = (fields: Json): Json => (isJsonObject(fields) && typeof fields['use'] === 'string' ? `\${ $secrets[${JSON.stringify(fields['use'])}] }` : fields);
