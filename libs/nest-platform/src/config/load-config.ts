import type { z } from 'zod';
import { nearestName } from './nearest-name.js';

/** What is wrong with one variable. `got` never shows the value of a secret. */
export interface ConfigFault {
  readonly variable: string;
  readonly expected: string;
  readonly got: string;
  /** What the variable is for, from the schema's description. */
  readonly meaning: string;
}

/** The configuration cannot be used. The message lists every fault, so that one look and one edit repair them all. */
export class ConfigInvalid extends Error {
  constructor(readonly faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, expected, got, meaning }) => `  ${variable}: expected ${expected} but ${got}.${meaning === '' ? '' : ` Meaning: ${meaning}`}`);
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${lines.join('\n')}`);
    this.name = 'ConfigInvalid';
  }
}

export interface LoadOptions {
  /** A variable with this prefix that the schema lacks but nearly names is a fault (a typing mistake). Default `WEFT_`. */
  readonly prefix?: string;
}

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names whose values are never shown. */
export const SECRET_NAME = /secret|token(?!s)|authorization|password|passwd|api[-_]?key|private[-_]?key|credential|cookie/i;

/**
 * Reads the configuration once. The schema is a zod object keyed by variable names, each with `.describe()`; relations are
 * `.refine(..., { path: ['WEFT_X'] })` on the object and are judged when the single variables are right.
 * An empty variable counts as not set.
 * @returns the parsed values, frozen.
 * @throws ConfigInvalid with all faults together.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, env: Environment, options: LoadOptions = {}): Readonly<z.output<S>> {
  const given = Object.fromEntries(Object.keys(schema.shape).flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])));
  const parsed = schema.safeParse(given);
  const faults = [...(parsed.success ? [] : parsed.error.issues.map((issue) => faultOf(schema, given, issue))), ...misspelt(schema, env, options.prefix ?? 'WEFT_')];
  if (faults.length > 0 || !parsed.success) throw new ConfigInvalid(faults);
  return Object.freeze(parsed.data);
}

function faultOf(schema: z.ZodObject, given: Readonly<Record<string, string | undefined>>, issue: z.core.$ZodIssue): ConfigFault {
  const variable = String(issue.path[0] ?? '(relation)');
  const value = given[variable];
  const shown = SECRET_NAME.test(variable) ? 'a value that is not shown' : JSON.stringify(value);
  return {
    variable,
    expected: expectationOf(issue),
    got: value === undefined ? 'it is not set' : `got ${shown}`,
    meaning: schema.shape[variable] === undefined ? '' : descriptionOf(schema.shape[variable]),
  };
}

function expectationOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `a ${issue.expected}`;
    case 'too_small':
      return issue.origin === 'string' ? `at least ${issue.minimum} characters` : `a ${issue.origin} ${issue.inclusive === false ? 'above' : 'of at least'} ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string' ? `at most ${issue.maximum} characters` : `a ${issue.origin} ${issue.inclusive === false ? 'below' : 'of at most'} ${issue.maximum}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'regex' && issue.pattern !== undefined ? `text that matches ${issue.pattern}` : `text in the form of ${issue.format}`;
    default:
      return issue.message;
  }
}

/** The description of a field; a default or `optional()` around it does not hide it. */
export function descriptionOf(field: z.core.$ZodType): string {
  const described = (field as z.ZodType).description;
  if (described !== undefined) return described;
  const inner = innerOf(field);
  return inner === undefined ? '' : descriptionOf(inner);
}

/** The type that a default, `optional()` or transformation wraps. */
export function innerOf(field: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = field._zod as { readonly def: { readonly innerType?: z.core.$ZodType; readonly in?: z.core.$ZodType } };
  return def.innerType ?? def.in;
}

function misspelt(schema: z.ZodObject, env: Environment, prefix: string): readonly ConfigFault[] {
  const known = Object.keys(schema.shape);
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .flatMap((variable) => {
      const meant = nearestName(variable, known);
      return meant === undefined || env[meant] !== undefined ? [] : [{ variable, expected: `the name of a setting, such as ${meant}`, got: 'no setting has this name', meaning: '' }];
    });
}
