// What a Weft that runs documents is set up with: routes to them, leave to do all that they say, and the way out to where they say.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { providerIn } from '../processes/local-world.js';

/** Type of the event that starts the document at this place. */
export const requestTypeOf = (document: number): string => `ai.weft.run.${document}.v1`;

/** Whoever runs a document on a machine of his own grants it everything; others grant nothing that way. */
const GRANTS = {
  grants: [{ tenant: 'default', workflow: '*/*', tools: ['*'], agents: ['*'], kinds: ['http', 'openapi', 'grpc', 'asyncapi', 'mcp', 'a2a', 'script', 'shell', 'container', 'infer'], secrets: ['*'] }],
};

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
    WEFT_ROUTES_FILE: given['WEFT_ROUTES_FILE'] || file('routes.yaml', routesTo(values, given)),
    WEFT_GRANTS_FILE: given['WEFT_GRANTS_FILE'] || file('grants.yaml', GRANTS),
    WEFT_EGRESS_ALLOW: allowed,
  };
}

function routesTo(documents: readonly unknown[], given: Readonly<Record<string, string | undefined>>): object {
  const provider = providerIn(given);
  const models = provider ? [{ id: 'provider', capabilities: ['json', 'tools', 'embeddings'], ...provider }] : [];
  const routes = documents.map((value, i) => {
    const { namespace = 'none', name = 'none' } = (value as { readonly document?: { readonly namespace?: string; readonly name?: string } } | null)?.document ?? {};
    return { name: `run-${i}`, when: { type: requestTypeOf(i) }, workflow: { namespace, name }, ...(provider ? { models: { prefer: ['provider'] } } : {}) };
  });
  return { version: 1, models, routes };
}

/** Origins of the addresses that a document writes out: where its calls go, as far as no expression says it. */
function originsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const address = /^https?:\/\/[^/?#{}$\s]+/.exec(value)?.[0];
    return address !== undefined && URL.canParse(address) ? [new URL(address).origin] : [];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(originsIn) : [];
}
