// What the machine has to put around a process of the sandbox besides the interpreter and Node's own permissions.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface Walls {
  /** What comes before the program in a command line. */
  readonly command: readonly string[];
  /** Walls that this machine cannot put up, as sentences for the operator. */
  readonly missing: readonly string[];
}

// No files written, few descriptors, no core, CPU seconds for a whole life, bytes of memory.
const LIMITS = ['--nofile=64', '--fsize=0', '--core=0', '--cpu=300', '--data=1073741824'];
const FOLDERS = ['/usr/bin', '/bin'];
const PROBE_MS_MAX = 2_000;

let found: Walls | undefined;

/** Looked for once: the machine is asked whether a namespace of its own can be had. */
export function walls(): Walls {
  found ??= lookFor();
  return found;
}

function lookFor(): Walls {
  const prlimit = programAt('prlimit');
  const unshare = programAt('unshare');
  // A user, a network without any interface, and its own inter-process objects. Whether that may be had depends on the kernel and on the container.
  const apart = unshare === undefined ? undefined : [unshare, '--user', '--net', '--ipc'];
  const hasNamespaces = apart !== undefined && spawnSync(apart[0]!, [...apart.slice(1), 'true'], { env: {}, stdio: 'ignore', timeout: PROBE_MS_MAX }).status === 0;
  return {
    command: [...(hasNamespaces ? apart : []), ...(prlimit === undefined ? [] : [prlimit, ...LIMITS])],
    missing: [
      ...(hasNamespaces ? [] : ['processes of the sandbox share the network of this one: `unshare --user --net --ipc` cannot be used here']),
      ...(prlimit === undefined ? ['processes of the sandbox have no limits of the kernel: there is no `prlimit`'] : []),
    ],
  };
}

const programAt = (name: string): string | undefined => FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
