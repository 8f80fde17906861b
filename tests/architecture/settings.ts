// Every setting of every program: from the schemas of the shells, and by hand for the command line and the suites.
import { describeConfig, envExample, type ConfigRow } from '@weft/nest-platform';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, type SourceTree } from './source-tree.js';

interface Section {
  readonly title: string;
  readonly rows: readonly ConfigRow[];
}

const optional = (name: string, description: string, secret = false): ConfigRow => ({ name, type: 'text', default: undefined, required: false, secret, description });

/** What the launcher, the command line and the suites read themselves. */
const COMMAND_LINE: readonly ConfigRow[] = [
  optional('WEFT_ROOT', 'Root of the checkout. The launcher sets it.'),
  optional('WEFT_HOME', 'Folder of everything Weft writes. Default: .weft in the checkout.'),
  optional('WEFT_URL', 'Base address of the gateway that commands talk to. Default: the Weft that `./weft up` runs.'),
  optional('WEFT_API_KEY', 'API key that commands use. Default: the key of the default tenant.', true),
  optional('WEFT_MODEL_ENDPOINT', 'Base URL of an OpenAI-compatible endpoint; with WEFT_MODEL it takes the place of the simulated model.'),
  optional('WEFT_MODEL', 'Name of the model at WEFT_MODEL_ENDPOINT.'),
  optional('WEFT_SECRET_MODEL', 'Key of WEFT_MODEL_ENDPOINT. WEFT_SECRET_<NAME> holds the secret that tools and models name <NAME>.', true),
  optional('WEFT_KAFKA', 'Kafka that `up --profile mesh`, `bench`, `prove` and `test` use instead of starting one, host:port.'),
  optional('WEFT_REDIS', 'Redis that they use instead of starting one, host:port.'),
  optional('WEFT_REQUIRE', 'Servers (kafka,redis) without which `weft test` fails instead of leaving out what needs them.'),
  optional('WEFT_DEBUG', 'Any text: an internal error of the command line shows its stack.'),
  optional('WEFT_FIXTURES', 'Folder of fixtures that some suites compare with; they are skipped by name without it.'),
];

/** Standalone first: its schema holds the settings of every service; then what each process of the mesh has besides. */
export async function allSettings(tree: SourceTree): Promise<readonly Section[]> {
  const files = tree.files.map(({ path }) => path).filter((path) => /^services\/(standalone|[^/]+\/shell)\/src\/config\.ts$/.test(path));
  const sections = await Promise.all(files.sort((a, b) => Number(b.includes('standalone')) - Number(a.includes('standalone')) || (a < b ? -1 : 1)).map(sectionOf));
  const known = new Set<string>();
  const fresh = sections.map(({ title, rows }) => ({ title, rows: rows.filter((row) => known.size < known.add(JSON.stringify(row)).size) }));
  return [...fresh, { title: 'The command line and the suites', rows: COMMAND_LINE }];
}

// Suites may not import a shell; what they compare here is what was built from it.
async function sectionOf(path: string): Promise<Section> {
  const built = (await import(pathToFileURL(join(ROOT, path.replace('/src/', '/dist/').replace(/\.ts$/, '.js'))).href)) as Readonly<Record<string, unknown>>;
  const schema = Object.values(built).find(isSchema);
  if (!schema) throw new Error(`${path}: expected it to export the schema of the process's settings`);
  const [, service = ''] = path.split('/');
  return { title: service === 'standalone' ? 'Standalone: all of Weft in one process' : `Mesh: ${service}`, rows: describeConfig(schema).map((row) => ({ ...row, default: asTyped(row.default) })) };
}

type Schema = Parameters<typeof describeConfig>[0];
const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && 'shape' in value && 'safeParse' in value;

// A list is typed with commas.
const asTyped = (text: string | undefined): string | undefined => (text?.startsWith('[') ? (JSON.parse(text) as readonly string[]).join(',') : text);

/** The text of `.env.example`. */
export function envExampleOf(sections: readonly Section[]): string {
  const head = '# Settings of Weft, generated from the schemas that check them at start. Every program reads its environment alone.\n';
  return head + sections.map(({ title, rows }) => `\n# ---- ${title} ----\n\n${envExample(rows)}`).join('');
}

/** Variables that sources name, with the files that do. `WEFT_SECRET_` stands for a name that is made up at run time. */
export function variablesRead(tree: SourceTree): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { path, isSpec, syntax } of tree.files) {
    if (isSpec || path.startsWith('tests/')) continue;
    for (const name of new Set([...syntax.names, ...syntax.texts])) if (/^WEFT_[A-Z0-9_]+$/.test(name)) found.set(name, [...(found.get(name) ?? []), path]);
  }
  return found;
}
