// Rules of the product loosened from outside, by a module that is loaded before it: what a proof must notice.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from '../paths.js';

/** A class of the tools service, by its file below services/tools/shell/dist, and code that changes it. */
export interface Loosening {
  readonly file: string;
  readonly className: string;
  readonly code: string;
}

/** Settings for the processes that are asked. @param home where the module is written. */
export function loosenedBy(loosening: Loosening | undefined, home: string): Readonly<Record<string, string>> {
  if (loosening === undefined) return {};
  const module = join(home, 'plant.mjs');
  const target = pathToFileURL(inRoot('services', 'tools', 'shell', 'dist', ...loosening.file.split('/'))).href;
  writeFileSync(module, `import { ${loosening.className} } from ${JSON.stringify(target)};\n${loosening.code}\n`);
  return { NODE_OPTIONS: `--import ${pathToFileURL(module).href}` };
}
