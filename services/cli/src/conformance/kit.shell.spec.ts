// The conformance test kit of the Open Workflow Specification, where it lies beside the checkout.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const KIT = join(process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../../shared/fixtures', import.meta.url)), 'ows', 'ctk');

describe.skipIf(!existsSync(KIT))('the conformance test kit of the specification', () => {
  it('passes whole', { timeout: 180_000 }, () => {
    const { stdout, stderr } = spawnSync(process.execPath, [MAIN, 'conformance', 'ows', KIT, '--json'], { encoding: 'utf8' });
    const report = JSON.parse(stdout || '{}') as { readonly scenarios?: readonly { readonly passed: boolean }[] };
    expect(
      report.scenarios?.filter(({ passed }) => !passed),
      stderr,
    ).toEqual([]);
    expect(report).toMatchObject({ passed: 21, total: 21 });
  });
});
