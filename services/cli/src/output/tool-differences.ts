// Differences between two definitions of a tool, for people.
import type { ToolDetailShape } from '../client/tools.js';
import { colors } from './print.js';

/** Field by field: what was, and what is offered. Long texts line by line, only the lines that differ and one around them. */
export function toolDifferences({ name, state, digest, accepted, differences, invisible }: Pick<ToolDetailShape, 'name' | 'state' | 'digest' | 'accepted' | 'differences' | 'invisible'>): string {
  const head = `${colors.bold(name)} ${state} ${colors.dim(`${accepted ? accepted.digest.slice(0, 16) : 'never accepted'} -> ${digest.slice(0, 16)}`)}`;
  if (differences.length === 0) return `${head}\n${colors.dim('no difference')}`;
  const hidden = invisible === 0 ? [] : [colors.red(`${invisible} characters in it are seen by nobody but a model; they are written out below`)];
  return [head, ...hidden, ...differences.flatMap(({ path, before, after }) => [colors.cyan(path === '' ? '/' : path), ...changed(before, after)])].join('\n');
}

function changed(before: string | undefined, after: string | undefined): readonly string[] {
  const old = linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
  const around = (line: string | undefined): readonly string[] => (line === undefined ? [] : [colors.dim(`    ${line}`)]);
  return [
    ...around(start > 0 ? old[start - 1] : undefined),
    ...old.slice(start, old.length - end).map((line) => colors.red(`  - ${line}`)),
    ...now.slice(start, now.length - end).map((line) => colors.green(`  + ${line}`)),
    ...around(end > 0 ? now[now.length - end] : undefined),
  ];
}

/** Lines of a value: those of a text, else of its JSON. Invisible characters stay written out, as they came. */
function linesOf(json: string | undefined): readonly string[] {
  if (json === undefined) return [];
  // Only line breaks are undone: every other escape is there to be seen.
  if (json.startsWith('"')) return json.slice(1, -1).split('\\n');
  return JSON.stringify(JSON.parse(json), null, 2).split('\n').map(written);
}

/** A line in which every character that nobody sees is written out. */
const written = (line: string): string => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
