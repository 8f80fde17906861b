// What a Weft that runs one document is set up with: a route to it, leave to do all that it says, and the way out to where it says.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { providerIn } from '../processes/local-world.js';

/** Type of the event that starts the document. */
export const RUN_REQUEST_TYPE = 'ai.weft.run.v1';

/** Whoever runs a document on a machine of his own grants it everything; others grant nothing that way. */
const GRANTS = { grants: [{ tenant: 'default', workflow: '*/*', tools: ['*'], kinds: ['http', 'infer'] }] };

/** Settings for Weft's process; files go to `folder`. What cannot be read here is refused at deploy, with its place. */
export function runSettings(documents: readonly string[], folder: string, given: Readonly<Record<string, string | undefined>> = process.env): Readonly<Record<string, string>> {
  const values = documents.map((text) => parseDocument(text).toJS({ maxAliasCount: 100 }) as unknown);
  const allowed = [given['WEFT_EGRESS_ALLOW'], ...new Set(values.flatMap(originsIn))].filter(Boolean).join(',');
  const file = (name: string, content: object): string => {
    const path = join(folder, name);
    writeFileSync(path, stringify(content));
    return path;
  };
  return {
    WEFT_ROUTES_FILE: given['WEFT_ROUTES_FILE'] || file('routes.yaml', routesTo(values[0], given)),
    WEFT_GRANTS_FILE: given['WEFT_GRANTS_FILE'] || file('grants.yaml', GRANTS),
    WEFT_EGRESS_ALLOW: allowed,
  };
}

function routesTo(document: unknown, given: Readonly<Record<string, string | undefined>>): object {
  const { namespace = 'none', name = 'none' } = ((document as { readonly document?: { readonly namespace?: string; readonly name?: string } } | null)?.document ?? {}) as {
    readonly namespace?: string;
    readonly name?: string;
  };
  const provider = providerIn(given);
  const models = provider ? [{ id: 'provider', capabilities: ['json', 'tools'], ...provider }] : [];
  return { version: 1, models, routes: [{ name: 'run', when: { type: RUN_REQUEST_TYPE }, workflow: { namespace, name }, ...(provider ? { models: { prefer: ['provider'] } } : {}) }] };
}

/** Origins of the addresses that a document writes out: where its calls go, as far as no expression says it. */
function originsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const address = /^https?:\/\/[^/?#{}$\s]+/.exec(value)?.[0];
    return address !== undefined && URL.canParse(address) ? [new URL(address).origin] : [];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(originsIn) : [];
}
