import { describe, expect, it } from 'vitest';
import { loadRouteTable, parseRouteTable } from './load-route-table.js';

const YAML = `
version: 1
models:
  - { id: small, endpoint: 'http://127.0.0.1:8000/v1', model: small-1, capabilities: [json] }
routes:
  - name: complaints
    when: { type: com.example.complaint.* }
    workflow: { namespace: examples, name: triage }
    models: { prefer: [small], require: [json] }
`;

describe('parseRouteTable', () => {
  it('gives tables that mean the same the same version, whatever their layout', () => {
    const [yaml, json, other] = [
      parseRouteTable(YAML, 'a'),
      parseRouteTable(
        JSON.stringify({
          routes: [{ models: { require: ['json'], prefer: ['small'] }, workflow: { name: 'triage', namespace: 'examples' }, when: { type: 'com.example.complaint.*' }, name: 'complaints' }],
          models: [{ capabilities: ['json'], model: 'small-1', endpoint: 'http://127.0.0.1:8000/v1', id: 'small' }],
          version: 1,
        }),
        'b',
      ),
      parseRouteTable(YAML.replace('triage', 'other'), 'c'),
    ];
    if (!yaml.ok || !json.ok || !other.ok) throw new Error('expected three tables');
    expect(yaml.versioned.version).toMatch(/^[0-9a-f]{64}$/);
    expect(json.versioned.version).toBe(yaml.versioned.version);
    expect(other.versioned.version).not.toBe(yaml.versioned.version);
  });

  it.each([
    ['text that is no YAML', 'routes: [', /table\.yaml but:\n {2}- .*at line 1/],
    ['a key that comes twice', 'version: 1\nversion: 1', /unique/i],
    ['faults of the table, all together', 'version: 2\nroutes: [{}]', /version: expected 1 but got 2\n {2}- routes\[0\]/],
    ['an empty file', '', /the table: expected an object with version, models and routes but got null/],
  ])('refuses %s by name and place', (_, text, message) => {
    expect(parseRouteTable(text, 'table.yaml')).toMatchObject({ ok: false, rejection: { code: 'route-table-invalid', message: expect.stringMatching(message) } });
  });
});

describe('loadRouteTable', () => {
  it('is empty without a file and says which file cannot be read', async () => {
    expect((await loadRouteTable(undefined)).table.routes).toEqual([]);
    await expect(loadRouteTable('/nowhere/routes.yaml')).rejects.toThrow('Expected the route table at /nowhere/routes.yaml (WEFT_ROUTES_FILE) but it could not be read');
  });
});
