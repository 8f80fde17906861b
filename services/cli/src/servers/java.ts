import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findCommand, runCommand } from './command.js';

/** A Java of this release or newer: of JAVA_HOME, on PATH, or where distributions install it. */
export async function findJava(releaseMin: number): Promise<string | undefined> {
  const home = process.env['JAVA_HOME'];
  const onPath = await findCommand('java');
  const installed = (await readdir('/usr/lib/jvm').catch(() => [])).map((name) => join('/usr/lib/jvm', name, 'bin', 'java'));
  for (const java of [...(home ? [join(home, 'bin', 'java')] : []), ...(onPath ? [onPath] : []), ...installed]) {
    const { code, output } = await runCommand(java, ['-version']);
    const release = Number(/version "(?:1\.)?(\d+)/.exec(output)?.[1]);
    if (code === 0 && release >= releaseMin) return java;
  }
  return undefined;
}
