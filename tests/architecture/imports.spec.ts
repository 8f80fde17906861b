import { describe, expect, it } from 'vitest';
import { importViolations, packageCycles, type Violation } from './boundaries.js';
import { purityViolations } from './purity.js';
import { LAYERS, sourceTree, withPlanted } from './source-tree.js';

const tree = sourceTree();
const lines = (violations: readonly Violation[]): readonly string[] => violations.map(({ path, message }) => `${path} ${message}`);

describe('import directions', () => {
  it('are kept by every file', () => {
    expect(lines(importViolations(tree))).toEqual([]);
  });

  it('hold between packages without circles', () => {
    expect(packageCycles(tree)).toEqual([]);
  });

  it('cover the whole tree: no layer stands empty', () => {
    expect(LAYERS.filter((layer) => !tree.files.some((file) => file.layer === layer))).toEqual([]);
  });

  // One planted violation per boundary: a rule that cannot fail is a defect.
  const planted: readonly (readonly [where: string, what: string, reason: RegExp])[] = [
    ['libs/kernel/src/planted.ts', "import { TOPICS } from '@weft/contracts';", /kernel code may import no package/],
    ['libs/kernel/src/planted.ts', "import { hash } from 'node:crypto';", /does no I\/O/],
    ['libs/kernel/src/planted.ts', "import { z } from 'zod';", /kernel code may import nothing besides/],
    ['libs/contracts/src/planted.ts', "import { Injectable } from '@nestjs/common';", /contract code may import/],
    ['libs/contracts/src/planted.ts', "import { Pool } from 'pg';", /contract code may import/],
    ['libs/contracts/src/planted.ts', "import { Lanes } from '@weft/pipeline';", /contract code may import kernel, contract, but @weft\/pipeline is port/],
    ['libs/jq/src/planted.ts', "import { readFileSync } from 'node:fs';", /pure code does no I\/O/],
    ['libs/jq/src/planted.ts', "import { TOPICS } from '@weft/contracts';", /pure code may import kernel, pure/],
    ['libs/tlog/src/planted.ts', "import { Pool } from 'pg';", /pure code may import/],
    ['libs/pipeline/src/planted.ts', "import { KafkaBus } from '@weft/adapter-kafka';", /port code may import kernel, contract/],
    ['libs/pipeline/src/planted.ts', "import { Kafka } from 'kafkajs';", /port code may import/],
    ['services/routing/core/src/planted.ts', "import { TOPICS } from '@weft/contracts';", /core code may import kernel, pure, and types of contract/],
    ['services/routing/core/src/planted.ts', "import { rank } from '@weft/tools/core';", /@weft\/tools is core/],
    ['services/routing/core/src/planted.ts', "import { x } from '@weft/pipeline';", /is port/],
    ['services/routing/core/src/planted.ts', "import { routingConfig } from '../../shell/src/config.js';", /stays in its own package and layer/],
    ['services/routing/core/src/planted.ts', "import { createHash } from 'node:crypto';", /core code does no I\/O/],
    ['services/routing/core/src/planted.ts', "import { z } from 'zod';", /core code may import nothing besides/],
    ['services/routing/core/src/planted.ts', "import { map } from 'rxjs';", /core code may import nothing besides/],
    ['services/routing/core/src/planted.ts', "import { Injectable } from '@nestjs/common';", /core code may import nothing besides/],
    ['services/routing/core/src/planted.ts', "export * from '@weft/contracts';", /is contract/],
    ['services/routing/core/src/planted.ts', "const later = () => import('@weft/adapter-postgres');", /is adapter/],
    ['libs/adapter-kafka/src/planted.ts', "import { Injectable } from '@nestjs/common';", /adapter code never imports it/],
    ['libs/adapter-kafka/src/planted.ts', "import { LocalBus } from '@weft/adapter-local';", /@weft\/adapter-local is adapter/],
    ['libs/adapter-kafka/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /is core/],
    ['libs/nest-platform/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /is core/],
    ['libs/nest-platform/src/planted.ts', "import { Pool } from 'pg';", /platform code never imports it/],
    ['services/routing/shell/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /@weft\/orchestration is core/],
    ['services/routing/shell/src/planted.ts', "import { ToolsModule } from '@weft/tools/shell';", /@weft\/tools is shell/],
    ['services/routing/shell/src/planted.ts', "import { startModelServer } from '@weft/testkit';", /@weft\/testkit is testkit/],
    ['services/routing/shell/src/planted.ts', "import { select } from '../../core/src/index.js';", /stays in its own package and layer/],
    ['services/routing/shell/src/planted.ts', "import { compose } from '@weft/standalone';", /@weft\/standalone is composition/],
    ['services/routing/shell/src/planted.ts', "import { x } from '../../../tools/shell/src/index.js';", /stays in its own package and layer/],
    ['services/routing/shell/src/planted.ts', "import { x } from './routing.shell.spec.js';", /only specs may import/],
    ['services/routing/shell/src/planted.ts', "import { vi } from 'vitest';", /shell code never imports it/],
    ['libs/testkit/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /is core/],
    ['libs/testkit/src/planted.ts', "import { Pool } from 'pg';", /testkit code never imports it/],
    ['services/standalone/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /is core/],
    ['services/standalone/src/planted.ts', "import { fixedClock } from '@weft/testkit';", /is testkit/],
    ['services/cli/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /is core/],
    ['services/cli/src/planted.ts', "import { GatewayModule } from '@weft/gateway/shell';", /is shell/],
    ['services/cli/src/planted.ts', "import { compose } from '@weft/standalone';", /is composition/],
    ['services/cli/src/planted.ts', "import { startModelServer } from '@weft/testkit';", /is testkit/],
    ['tests/simulation/planted.ts', "import { GatewayModule } from '@weft/gateway/shell';", /is shell/],
    ['bench/src/planted.ts', "import { fixedClock } from '@weft/testkit';", /is testkit/],
    ['bench/src/planted.ts', "import { decide } from '@weft/orchestration/core';", /is core/],
    ['tests/faults/src/planted.ts', "import { rejection } from '@weft/kernel';", /faults code may import no package/],
    ['services/routing/core/src/planted.unit.spec.ts', "import { ToolsModule } from '@weft/tools/shell';", /is shell/],
    ['libs/kernel/src/planted.ts', "import { gone } from './gone.js';", /there is no such file/],
    ['libs/kernel/src/planted.ts', "import { rejection } from '@weft/kernel';", /does not import itself by name/],
  ];
  it.each(planted)('refuses in %s: %s', (path, text, reason) => {
    const found = importViolations(withPlanted(tree, { [path]: text })).filter((violation) => violation.path === path);
    expect(found.map(({ message }) => message)).toEqual([expect.stringMatching(reason)]);
  });

  it('find a planted circle', () => {
    const circular = withPlanted(tree, { 'libs/kernel/src/planted.ts': "import { TOPICS } from '@weft/contracts';" });
    expect(packageCycles(circular)).toEqual([expect.stringMatching(/^(@weft\/kernel > @weft\/contracts > @weft\/kernel|@weft\/contracts > @weft\/kernel > @weft\/contracts)$/)]);
  });

  it('let cores use types of contracts and specs use the testkit', () => {
    const fine = withPlanted(tree, {
      'services/routing/core/src/planted.ts': "import type { Context } from '@weft/contracts';",
      'services/routing/core/src/planted-other.ts': "import { type Context } from '@weft/contracts';",
      'services/routing/core/src/planted.unit.spec.ts': "import { given } from '@weft/testkit';",
    });
    expect(lines(importViolations(fine)).filter((line) => line.includes('planted'))).toEqual([]);
  });
});

describe('cores and pure packages', () => {
  it('touch no clock, process, network or randomness', () => {
    expect(lines(purityViolations(tree))).toEqual([]);
  });

  it.each([
    'process.exit(1);',
    "fetch('x');",
    'setTimeout(() => 1, 5);',
    'setInterval(() => 1, 5);',
    'const t = Date.now();',
    'const t = new Date();',
    'const t = Date();',
    'const r = Math.random();',
    "globalThis.fetch('x');",
    'const clock = Date.now;',
    "console.log('x');",
  ])('refuse: %s', (text) => {
    for (const path of ['libs/kernel/src/planted.ts', 'libs/jq/src/planted.ts', 'services/tools/core/src/planted.ts']) {
      expect(purityViolations(withPlanted(tree, { [path]: text })).filter((violation) => violation.path === path)).toHaveLength(1);
    }
  });

  it('may compute with instants that are handed in, and use the banned words as names of their own', () => {
    const text = 'export const text = (instant: number) => new Date(instant).toISOString(); export function process(fetch: number) { return { process: fetch }; }';
    expect(purityViolations(withPlanted(tree, { 'services/tools/core/src/planted.ts': text })).filter(({ path }) => path.includes('planted'))).toEqual([]);
  });
});
