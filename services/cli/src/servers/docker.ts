import { findCommand, lastLines, runCommand } from './command.js';
import type { LocalServer } from './server.js';

export interface Container {
  readonly server: LocalServer['name'];
  readonly image: string;
  /** Port on 127.0.0.1 and in the container. */
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

/** Runs a container in place of a local process, or adopts the one of an earlier start. @returns the server, or why there is none. */
export async function startContainer({ server, image, port, environment = {}, command = [] }: Container, onProgress?: (line: string) => void): Promise<LocalServer | string> {
  const docker = await findCommand('docker');
  if (!docker) return 'docker is not installed';
  if ((await runCommand(docker, ['info', '--format', '{{.ID}}'], { timeoutMs: 10_000 })).code !== 0) return 'no docker engine answers';
  const name = `weft-${server}-${port}`;
  const running = await runCommand(docker, ['inspect', '--format', '{{.State.Running}}', name]);
  if (!running.output.startsWith('true')) {
    onProgress?.(`starting ${image} with docker`);
    await runCommand(docker, ['rm', '-f', name]);
    const settings = Object.entries(environment).flatMap(([variable, value]) => ['-e', `${variable}=${value}`]);
    const started = await runCommand(docker, ['run', '-d', '--name', name, '-p', `127.0.0.1:${port}:${port}`, ...settings, image, ...command], { timeoutMs: 300_000 });
    if (started.code !== 0) return `docker could not run ${image}: ${lastLines(started.output)}`;
  }
  return {
    name: server,
    address: `127.0.0.1:${port}`,
    pid: undefined,
    stop: async () => void (await runCommand(docker, ['rm', '-f', name])),
  };
}
