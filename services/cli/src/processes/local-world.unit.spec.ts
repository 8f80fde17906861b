import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { inRoot } from '../paths.js';
import { providerIn, routesFor } from './local-world.js';

type Entries = Readonly<Record<string, readonly { readonly [field: string]: unknown }[]>>;
const read = (...path: string[]): string => readFileSync(inRoot(...path), 'utf8');
const local = read('deploy', 'local', 'routes.yaml');
const stage = { modelUrl: 'http://127.0.0.1:1234', mailUrl: 'http://127.0.0.1:1235' };

describe('the local configuration', () => {
  it.each([
    ['complaint-triage', 'routes.yaml', ['models', 'routes']],
    ['complaint-triage', 'tools.yaml', ['tools']],
    ['complaint-triage', 'grants.yaml', ['grants']],
    ['chat', 'routes.yaml', ['models', 'routes']],
    ['chat', 'grants.yaml', ['grants']],
  ])('holds what example %s has in its %s', (example, file, lists) => {
    const [own, all] = [parse(read('examples', example, file)) as Entries, parse(read('deploy', 'local', file)) as Entries];
    for (const list of lists) for (const entry of own[list]!) expect(all[list]).toContainEqual(entry);
  });
});

describe('routesFor', () => {
  it('sends simulated models to the stand-in', () => {
    const { models } = parse(routesFor(local, stage)) as Entries;
    expect(models!.map(({ endpoint, simulated }) => [endpoint, simulated])).toEqual(models!.map(() => ['http://127.0.0.1:1234/v1', true]));
  });

  it('puts a provider in the place of simulated models, except the busy one, and takes their prices away', () => {
    const provider = { endpoint: 'https://models.example/v1', model: 'm-1', keySecret: 'MODEL' };
    const { models } = parse(routesFor(local, { ...stage, provider })) as Entries;
    expect(models!.find(({ id }) => id === 'small')).toEqual({ id: 'small', endpoint: provider.endpoint, model: 'm-1', keySecret: 'MODEL', simulated: false, capabilities: ['json', 'tools'] });
    expect(models!.find(({ id }) => id === 'fast')).toMatchObject({ endpoint: 'http://127.0.0.1:1234/v1', simulated: true });
  });

  it('leaves models alone that are not simulated', () => {
    const own = 'version: 1\nmodels:\n  - { id: mine, endpoint: https://mine.example/v1, model: m, capabilities: [json] }\n';
    expect(parse(routesFor(own, stage))).toEqual(parse(own));
  });
});

describe('providerIn', () => {
  it('takes endpoint and model together, and names the secret only when there is one', () => {
    const env = { WEFT_MODEL_ENDPOINT: 'https://m.example/v1', WEFT_MODEL: 'm' };
    expect(providerIn(env)).toEqual({ endpoint: 'https://m.example/v1', model: 'm' });
    expect(providerIn({ ...env, WEFT_SECRET_MODEL: 'k' })).toMatchObject({ keySecret: 'MODEL' });
    expect(providerIn({ WEFT_MODEL_ENDPOINT: 'https://m.example/v1' })).toBeUndefined();
  });
});
