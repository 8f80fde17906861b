// A secret goes through a whole Weft: what is shown and logged holds its name alone. What the ledger holds is in authentication.shell.spec.ts of
// tools, what history holds in call-arguments.unit.spec.ts of orchestration.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const SECRET = `never-to-be-seen-${process.pid}-${Date.now()}`;
const home = mkdtempSync(join(tmpdir(), 'weft-secrets-'));
const seen: string[] = [];
const server = createServer((request, response) => {
  seen.push(JSON.stringify([request.url, request.headers]));
  // It tells everything back, as a careless server does.
  response.writeHead(request.url === '/fails' ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ headers: request.headers, url: request.url }));
});

beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

const documentAt = (url: string): string => `
document: {dsl: '1.0.3', namespace: spec, name: secrets, version: 1.0.0}
use: {secrets: [SPEC_KEY], authentications: {ours: {bearer: {use: SPEC_KEY}}}}
do:
  - tell: {call: http, with: {method: post, endpoint: {uri: '${url}/told', authentication: {use: ours}}, body: {inside: '\${ $secrets.SPEC_KEY }'}}}
  - fail:
      try: [{bad: {call: http, with: {method: get, endpoint: '${url}/fails', headers: {x-key: '\${ $secrets.SPEC_KEY }'}}}}]
      catch: {do: [{after: {set: {told: '\${ . }', caught: '\${ $error.title }'}}}]}
`;

const filesWith = (text: string): string => spawnSync('grep', ['-rlaF', text, home], { encoding: 'utf8' }).stdout;

it('a secret is in nothing that a run shows or leaves behind in plain text, although it was sent and told back', { timeout: 120_000 }, async () => {
  const file = join(home, 'secrets.yaml');
  writeFileSync(file, documentAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const child = spawn(process.execPath, [MAIN, 'run', file], { env: { ...process.env, WEFT_HOME: home, WEFT_SECRET_SPEC_KEY: SECRET, NO_COLOR: '1' } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const code = await closed;
  rmSync(file);
  expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('[secret SPEC_KEY]') as string });
  expect(said).toContain('"caught":"http-status"');
  expect(seen.filter((request) => request.includes(SECRET))).toHaveLength(2);
  expect(said).not.toContain(SECRET);
  expect(filesWith(SECRET)).toBe('');
});
