// Rules of permission that do not hold, by a module that is loaded before the product: what the proof must notice.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from '../paths.js';

/** `none`, or the rule that does not hold. */
export const PERMISSION_PLANTS = ['none', 'default-allow', 'no-arguments', 'no-rule-of-two', 'lasting-approval', 'no-switches', 'deny-all'] as const;
export type PermissionPlant = (typeof PERMISSION_PLANTS)[number];

const PERMIT = 'Permissions.prototype.permit';
const DECIDE = 'CedarEngine.prototype.decide';
const LOOSENED: { readonly [plant in PermissionPlant]?: string } = {
  'default-allow': `const decide = ${DECIDE}; ${DECIDE} = function (request) { const verdict = decide.call(this, request); return verdict.decision === 'deny' && verdict.policies.length === 0 ? { decision: 'allow', policies: [] } : verdict; };`,
  'no-arguments': `const decide = ${DECIDE}; ${DECIDE} = function (request) { const verdict = decide.call(this, request); return verdict.decision === 'allow' ? verdict : request.arguments?.to === undefined ? verdict : decide.call(this, { ...request, arguments: { to: 'x@acme.example' } }); };`,
  'no-rule-of-two': `const permit = ${PERMIT}; ${PERMIT} = function (asked) { return permit.call(this, { ...asked, request: { ...asked.request, circumstances: { ...asked.request.circumstances, taint: [] } } }); };`,
  'lasting-approval': `const permit = ${PERMIT}; const approved = new Set(); ${PERMIT} = function (asked) { const permitted = permit.call(this, asked); const { by, on, circumstances } = asked.request; const name = [by.workflow, on.name, circumstances.pointer].join(); if (permitted.kind === 'approved') approved.add(name); return permitted.kind === 'ask' && approved.has(name) ? { kind: 'allow', policies: [] } : permitted; };`,
  'no-switches': `Permissions.prototype.stopped = () => undefined;`,
  'deny-all': `${DECIDE} = () => ({ decision: 'deny', principal: 'workflow', policies: [] });`,
};

/** Settings for the process that is asked. @param home where the module is written. */
export function loosenedPermissions(plant: PermissionPlant, home: string): Readonly<Record<string, string>> {
  const code = LOOSENED[plant];
  if (code === undefined) return {};
  const file = join(home, 'plant.mjs');
  const part = (name: string): string => pathToFileURL(inRoot('services', 'tools', 'shell', 'dist', 'permission', name)).href;
  writeFileSync(file, `import { CedarEngine } from ${JSON.stringify(part('cedar-engine.js'))};\nimport { Permissions } from ${JSON.stringify(part('permissions.js'))};\n${code}\n`);
  return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` };
}
