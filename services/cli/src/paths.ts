// Where things are. The launcher names the root of the checkout; everything Weft writes lies under its home.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const ROOT = process.env['WEFT_ROOT'] ?? resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Data, run files and logs. Default `.weft` in the checkout. */
export const HOME = resolve(process.env['WEFT_HOME'] ?? join(ROOT, '.weft'));

export const inRoot = (...parts: string[]): string => join(ROOT, ...parts);
export const inHome = (...parts: string[]): string => join(HOME, ...parts);
