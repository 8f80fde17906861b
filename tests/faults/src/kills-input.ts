// Reads the judge's input from files. A field that is missing or of the wrong kind is an error: a judge that sees nothing finds nothing.
import { parseReceipts } from './receipt-file.js';
import type { KillsInput, ResultSeen } from './kills-checker.js';

/** The texts of the three files. */
export interface KillsFiles {
  /** JSON: requests, sql, tools and, when wanted, effectsPerExecution of a `KillsInput`. */
  readonly input: string;
  /** One result event per line, as JSON. A torn last line is left out. */
  readonly results: string;
  /** The counting server's file. */
  readonly receipts: string;
}

type Shape = { readonly [field: string]: 'string' | 'number' | 'boolean' | 'list' | 'string?' };

const REQUEST: Shape = { id: 'string', executionId: 'string?' };
const RESULT: Shape = { requestId: 'string', status: 'string', executionId: 'string?', outputSha256: 'string?' };
const EXECUTION: Shape = { id: 'string', status: 'string', requestSource: 'string?', requestId: 'string?', workflow: 'string?', parent: 'string?', review: 'string?' };
const HISTORY_ROW: Shape = { execution: 'string', sequence: 'number', commit: 'string', atMs: 'number', events: 'list' };
const WAIT: Shape = { execution: 'string', id: 'string', kind: 'string' };
const COMMIT: Shape = { service: 'string', id: 'string', published: 'boolean', members: 'string' };
const LEAF: Shape = { service: 'string', commit: 'string' };

/**
 * Parses the files. Throws an `Error` that names what was expected and where: a malformed field, no acked request at all,
 * no tool, or a count that arrives as text (as drivers give big integers).
 */
export function parseKillsInput(files: KillsFiles): KillsInput {
  const input = object(json(files.input, 'the input'), 'the input');
  const sql = object(input['sql'], '/sql');
  list(input['requests'], REQUEST, '/requests');
  list(sql['executions'], EXECUTION, '/sql/executions');
  list(sql['history'], HISTORY_ROW, '/sql/history');
  list(sql['waits'], WAIT, '/sql/waits');
  list(sql['commits'], COMMIT, '/sql/commits');
  list(sql['leaves'], LEAF, '/sql/leaves');
  const { redeliveries } = sql;
  if (!isCount(redeliveries)) throw expected('an integer >= 0', '/sql/redeliveries', redeliveries);
  checkTools(input['tools']);
  for (const [tool, count] of Object.entries(object(input['effectsPerExecution'] ?? {}, '/effectsPerExecution'))) {
    if (!isCount(count)) throw expected('an integer >= 0', `/effectsPerExecution/${tool}`, count);
  }
  const parsed = input as unknown as Omit<KillsInput, 'results' | 'receipts'>;
  if (parsed.requests.length === 0) throw expected('at least one acked request', '/requests', []);
  return { ...parsed, results: parseResults(files.results), receipts: parseReceipts(files.receipts) };
}

function parseResults(text: string): readonly ResultSeen[] {
  const lines = text.split('\n');
  if (!isJson(lines.at(-1)!)) lines.pop();
  const results = lines.map((line, index) => json(line, `line ${index + 1} of the results`));
  list(results, RESULT, 'the results');
  return results as readonly ResultSeen[];
}

function checkTools(tools: unknown): void {
  const entries = Object.entries(object(tools, '/tools'));
  if (entries.length === 0) throw expected('at least one tool', '/tools', tools);
  for (const [name, tool] of entries) {
    const idempotent = object(tool, `/tools/${name}`)['idempotent'];
    if (typeof idempotent !== 'boolean') throw expected('true or false', `/tools/${name}/idempotent`, idempotent);
  }
}

function list(value: unknown, shape: Shape, pointer: string): void {
  if (!Array.isArray(value)) throw expected('a list', pointer, value);
  value.forEach((entry: unknown, index) => {
    const fields = object(entry, `${pointer}/${index}`);
    for (const [field, type] of Object.entries(shape)) {
      const found = fields[field];
      if (type === 'string?' && found === undefined) continue;
      if (!isOf(type, found)) throw expected(`a ${type.replace('?', '')}`, `${pointer}/${index}/${field}`, found);
    }
  });
}

function object(value: unknown, pointer: string): { readonly [field: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected('an object', pointer, value);
  return value as { readonly [field: string]: unknown };
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`Expected ${what} to be JSON, but got ${text.slice(0, 200)}`);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const isOf = (type: string, value: unknown): boolean => (type === 'list' ? Array.isArray(value) : typeof value === type.replace('?', ''));

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const expected = (what: string, where: string, got: unknown): Error => new Error(`Expected ${what} at ${where}, but got ${JSON.stringify(got)?.slice(0, 200)}`);
