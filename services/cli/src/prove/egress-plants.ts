// Rules of the product loosened from outside, by a module that is loaded before it: what the proof must notice.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from '../paths.js';

/** `none`, or the rule that does not hold. */
export const EGRESS_PLANTS = ['none', 'no-address-check', 'no-redirect-check', 'no-list', 'first-address-only', 'any-network'] as const;
export type EgressPlant = (typeof EGRESS_PLANTS)[number];

const POLICY = 'EgressPolicy.prototype';
const LOOSENED: { readonly [plant in EgressPlant]?: string } = {
  'no-address-check': `${POLICY}.addressDenial = () => undefined;`,
  'no-redirect-check': `const { passage } = ${POLICY}; ${POLICY}.passage = function (text, sender, from) { return from && URL.canParse(text) ? { ok: true, url: new URL(text), isListed: true } : passage.call(this, text, sender, from); };`,
  'no-list': `${POLICY}.passage = (text) => URL.canParse(text) ? { ok: true, url: new URL(text), isListed: true } : { ok: false, denial: { code: 'denied', message: 'no URL' } };`,
  'first-address-only': `const { addressDenial } = ${POLICY}; let last; ${POLICY}.addressDenial = function (address, url, isListed) { const isSame = last === url; last = url; return isSame ? undefined : addressDenial.call(this, address, url, isListed); };`,
};

/** Settings for the process that is asked. @param home where the module is written. */
export function loosened(plant: EgressPlant, home: string): Readonly<Record<string, string>> {
  if (plant === 'any-network') return { WEFT_EGRESS_PRIVATE: '0.0.0.0/0,::/0' };
  const code = LOOSENED[plant];
  if (code === undefined) return {};
  const file = join(home, 'plant.mjs');
  const policy = pathToFileURL(inRoot('services', 'tools', 'shell', 'dist', 'egress', 'egress-policy.js')).href;
  writeFileSync(file, `import { EgressPolicy } from ${JSON.stringify(policy)};\n${code}\n`);
  return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` };
}
