// Declared values with their secrets filled in.
import { SourceUnavailable } from '../source/tool-source.js';
import { secretMissing, type Secrets } from './secrets.js';

/** A text, or a secret by name with what stands before it. */
export type DeclaredValue = string | { readonly secret: string; readonly prefix?: string | undefined };

/** @throws SourceUnavailable naming the secret that is missing. */
export function filledValues(source: string, values: { readonly [name: string]: DeclaredValue }, secrets: Secrets): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      const secret = secrets(value.secret);
      if (secret === undefined) throw new SourceUnavailable(`${secretMissing(value.secret).message} Source ${source} needs it.`);
      return [name, `${value.prefix ?? ''}${secret}`];
    }),
  );
}
