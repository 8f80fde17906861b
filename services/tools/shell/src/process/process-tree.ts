// Ends a child process with everything that it has begun.
import { readdirSync, readFileSync } from 'node:fs';

/** Name of the variable that marks a child and, unless they take it off, all that it begins. */
export const MARK = 'MARK_OF_WEFT_SOURCE';

/**
 * Kills a process group, and whoever left it: descendants by parent, and processes that carry the mark (Linux).
 * Looked for until none is found, because who is being killed may begin another. What takes off both its parent and its mark is out of reach:
 * only a container holds that.
 */
export function killTree(pid: number | undefined, mark: string): void {
  // The group 0 would be this process's own.
  if (!pid) return;
  for (let round = 0; round < 5; round++) {
    const members = round === 0 ? [...strayMembers(pid, mark), pid] : strayMembers(pid, mark);
    signal(-pid);
    for (const member of members) signal(member);
    if (round > 0 && members.length === 0) return;
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone.
  }
}

/** Living processes below a parent or with the mark. Empty where there is no /proc. */
function strayMembers(pid: number, mark: string): readonly number[] {
  const parents = new Map<number, number>();
  const marked = new Set<number>();
  for (const entry of listed()) {
    const stat = read(`/proc/${entry}/stat`);
    // The name in brackets may hold anything; state and parent come after the last bracket.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat === '' || state === 'Z') continue;
    parents.set(entry, Number(parent));
    if (read(`/proc/${entry}/environ`).includes(`${MARK}=${mark}`)) marked.add(entry);
  }
  const isBelow = (member: number): boolean => {
    for (let at = parents.get(member); at !== undefined && at > 1; at = parents.get(at)) if (at === pid || marked.has(at)) return true;
    return false;
  };
  return [...parents.keys()].filter((member) => member !== process.pid && member !== pid && (marked.has(member) || isBelow(member)));
}

function listed(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
