// Secrets by name: the value is read when it is needed and goes nowhere but into the request.
import { rejection, type Rejection } from '@weft/kernel';

/** Gives the value of a secret, or undefined when there is none of this name. */
export type Secrets = (name: string) => string | undefined;

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Secrets from the environment: NAME is the variable WEFT_SECRET_NAME. */
export function environmentSecrets(env: { readonly [name: string]: string | undefined }): Secrets {
  return (name) => (NAME.test(name) ? env[`WEFT_SECRET_${name}`] || undefined : undefined);
}

/** The failure when a secret is missing: names it, never shows anything. */
export function secretMissing(name: string): Rejection {
  return rejection('not-configured', `Expected a secret named ${JSON.stringify(name.slice(0, 64))} but there is none: set the variable WEFT_SECRET_${NAME.test(name) ? name : 'NAME'}.`);
}
