import { findCommand, lastLines, runCommand } from './command.js';

/**
 * Installs packages of the distribution when this process may: as root, where apt-get exists.
 * @returns undefined when they are installed, otherwise why not.
 */
export async function installDebian(packages: readonly string[], onProgress?: (line: string) => void): Promise<string | undefined> {
  const aptGet = await findCommand('apt-get');
  if (!aptGet || process.getuid?.() !== 0) return 'installing packages takes root and apt-get';
  onProgress?.(`installing ${packages.join(', ')} with apt-get`);
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = (): ReturnType<typeof runCommand> => runCommand(aptGet, ['install', '-y', '-qq', '--no-install-recommends', ...packages], { timeoutMs: 300_000, environment });
  let result = await install();
  if (result.code !== 0) {
    // The package lists of a fresh image are empty or old.
    await runCommand(aptGet, ['update', '-qq'], { timeoutMs: 120_000, environment });
    result = await install();
  }
  return result.code === 0 ? undefined : `apt-get could not install ${packages.join(', ')}: ${lastLines(result.output)}`;
}
