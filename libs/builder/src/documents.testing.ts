// Random documents of the standard, and the running of what `toTypeScript` writes.
import type { Json, JsonObject } from '@weft/kernel';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';

const name = fc.constantFrom('a', 'b', 'order-item', 'Größe', '7', 'constructor', "it's");
const jq = fc.constantFrom('.', '.a', '.a.b[0].c', '$context.x', '$input.y', '$task.name', '$item', '.a > 1 and .b', '"x \\(.a)"', '[.[] | {a: .b}]', '.a // "`"', '. as $x | $x');
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, -1.5, '', 'text', 'it\'s\n"so" `${x} \\', '${.tight}', '${ .a } and more', 'Zoë'),
  jq.map((one) => `\${ ${one} }`),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar,
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'do', 'then', 'with space', '1'), tie('value'), { maxKeys: 2 }) as fc.Arbitrary<Json>,
  ),
}));
const object = fc.dictionary(fc.constantFrom('a', 'b', 'do'), value, { minKeys: 1, maxKeys: 2 }) as fc.Arbitrary<JsonObject>;
const duration = fc.constantFrom<Json>('PT1S', { seconds: 3 }, '${ .delay }');
const shaping = fc.oneof(jq, object);

const common = fc.record(
  {
    if: jq,
    input: fc.record({ from: shaping, schema: fc.constant({ document: { type: 'object', pattern: '${ x }' } }) }, { requiredKeys: [] }),
    output: fc.record({ as: shaping }),
    export: fc.record({ as: shaping }),
    timeout: fc.oneof(fc.constant('slow'), fc.record({ after: duration })),
    then: fc.constantFrom('continue', 'exit', 'end'),
    metadata: object,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

const filter = fc.record(
  { with: fc.record({ type: fc.constant('t'), data: fc.constantFrom('${ .x > 1 }', { a: 1 }) }, { requiredKeys: ['type'] }), correlate: fc.constant({ k: { from: '.k', expect: '${ .k }' } }) },
  { requiredKeys: ['with'] },
);
const strategy = fc.oneof(
  fc.record({ one: filter }),
  fc.record({ all: fc.array(filter, { minLength: 1, maxLength: 2 }) }),
  fc.record({ any: fc.array(filter, { maxLength: 2 }), until: fc.oneof(fc.constant('(. | length) > 3'), fc.record({ one: filter })) }, { requiredKeys: ['any'] }),
);

/** The fields that make a task of each kind; bodies are lists of tasks. */
const kinds = (body: fc.Arbitrary<Json>): readonly fc.Arbitrary<object>[] => [
  fc.record({
    set: fc.oneof(
      object,
      jq.map((one) => `\${ ${one} }`),
    ),
  }),
  fc.record({ wait: duration }),
  fc.record({ raise: fc.record({ error: fc.oneof(fc.constant('known'), fc.constant({ type: 'https://x.example/e', status: 400, title: '${ .t }' })) }) }),
  fc.record({ do: body }),
  fc.record({ switch: fc.constant([{ first: { when: '.a > 1', then: 'exit' } }, { rest: { then: 'end' } }]) }),
  fc.record({ for: fc.record({ each: fc.constant('pet'), in: jq, at: fc.constant('i') }, { requiredKeys: ['in'] }), while: jq, do: body }, { requiredKeys: ['for', 'do'] }),
  fc.record({ fork: fc.record({ branches: body, compete: fc.boolean() }, { requiredKeys: ['branches'] }) }),
  fc.record({
    try: body,
    catch: fc.record(
      { errors: fc.constant({ with: { status: 503 } }), as: fc.constant('e'), when: jq, retry: fc.oneof(fc.constant('p'), fc.record({ delay: duration, when: jq })), do: body },
      { requiredKeys: [] },
    ),
  }),
  fc.record({ emit: fc.record({ event: fc.record({ with: fc.record({ source: fc.constant('https://x.example'), type: fc.constant('t'), data: value }) }) }) }),
  fc.record(
    {
      listen: fc.record({ to: strategy, read: fc.constant('envelope') }, { requiredKeys: ['to'] }),
      foreach: fc.record({ item: fc.constant('e'), do: body, output: fc.record({ as: shaping }) }, { requiredKeys: ['do'] }),
    },
    { requiredKeys: ['listen'] },
  ),
  fc.record({ call: fc.constantFrom('http', 'grpc', 'infer', 'mine:1.0.0@shop', 'toString'), with: object }, { requiredKeys: ['call'] }),
  fc.record({
    call: fc.constant('asyncapi'),
    with: fc.record({
      document: fc.constant({ endpoint: 'https://x.example/a.json' }),
      operation: fc.constant('o'),
      subscription: fc.record({ consume: fc.constant({ until: '${ .done }' }), foreach: fc.record({ do: body }) }),
    }),
  }),
  fc.record({ run: fc.record({ shell: fc.constant({ command: 'ls', arguments: ['${ .a }'] }), await: fc.boolean(), return: fc.constant('all') }, { requiredKeys: ['shell'] }) }),
];

const { tasks } = fc.letrec<{ tasks: Json }>((tie) => ({
  tasks: fc
    .uniqueArray(fc.tuple(name, fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.constant({ set: { done: true } }), ...kinds(tie('tasks'))), common), {
      selector: ([one]) => one,
      minLength: 1,
      maxLength: 3,
    })
    .map((list) => list.map(([one, fields, more]) => ({ [one]: { ...more, ...fields } }))) as fc.Arbitrary<Json>,
}));

/** Documents with tasks of every kind within each other. */
export const anyDocument: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      document: fc.constant({ dsl: '1.0.3', namespace: 'n', name: 'random', version: '1.2.3', metadata: { m: '${ .a }' } }),
      input: fc.record({ from: shaping }),
      output: fc.record({ as: shaping }),
      timeout: fc.record({ after: duration }),
      schedule: fc.record({ on: strategy }),
      evaluate: fc.constant({ mode: 'strict' }),
      use: fc.record(
        {
          secrets: fc.constant(['s']),
          errors: fc.constant({ known: { type: 'https://x.example/e', status: 400 } }),
          retries: fc.constant({ p: { when: '.a', delay: { seconds: 1 } } }),
          timeouts: fc.constant({ slow: { after: 'PT1H' } }),
          functions: fc.record({ f: fc.constant({ set: { a: '${ .b }' } }) }),
          extensions: tasks.map((before) => [{ mock: { extend: 'all', when: '$task.name == "x"', before } }]),
        },
        { requiredKeys: [] },
      ),
      do: tasks,
    },
    { requiredKeys: ['document', 'do'] },
  )
  .map((document) => JSON.parse(JSON.stringify(document)) as JsonObject);

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** What modules of this source have as their default export, built; with `check` their types are checked too. */
export function builtFrom(sources: readonly string[], { check = false } = {}): readonly Json[] {
  // Within the package, so that its name leads to it.
  mkdirSync(join(PACKAGE, 'dist'), { recursive: true });
  const folder = mkdtempSync(join(PACKAGE, 'dist', 'round-trip-'));
  try {
    const files = sources.map((_, i) => join(folder, `workflow-${i}.ts`));
    files.forEach((file, i) => writeFileSync(file, sources[i]!));
    if (check) checkTypes(folder);
    const main = join(folder, 'main.mjs');
    writeFileSync(
      main,
      `const built = [];\nfor (const url of ${JSON.stringify(files.map((file) => pathToFileURL(file).href))}) built.push((await import(url)).default.toDocument());\nprocess.stdout.write(JSON.stringify(built));\n`,
    );
    return JSON.parse(execFileSync(process.execPath, [main], { encoding: 'utf8', maxBuffer: 100_000_000 })) as readonly Json[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkTypes(folder: string): void {
  const compiler = join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc');
  const options = { extends: '../../../../tsconfig.base.json', compilerOptions: { noEmit: true, composite: false, incremental: false, declaration: false }, include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  try {
    execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  } catch (fault) {
    throw new Error((fault as { readonly stdout: string }).stdout.slice(0, 5_000), { cause: fault });
  }
}
