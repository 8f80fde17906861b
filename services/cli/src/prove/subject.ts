// What is killed: Weft in either profile, seen as processes that can be ended with -9 and started again.
import { startEmbedded, storeUrl } from '@weft/adapter-postgres';
import { join } from 'node:path';
import type { Connection } from '../client/connection.js';
import { inRoot } from '../paths.js';
import { administrate, createKey } from '../processes/administrate.js';
import { freePorts } from '../processes/free-port.js';
import { MESH_SERVICES, startMesh, type MeshService } from '../processes/mesh.js';
import { ServiceProcess } from '../processes/service-process.js';

export interface Subject {
  readonly connection: Connection;
  readonly storeUrl: string;
  /** Names of what may be killed. */
  readonly targets: readonly string[];
  processOf(target: string): ServiceProcess;
  /** kill -9, then start again; resolves when it is ready. */
  kill(target: string): Promise<void>;
  stop(): Promise<void>;
}

export interface SubjectOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onProgress: (text: string) => void;
}

/** The one process. Its PostgreSQL lives on when it is killed, as after any kill -9, and is adopted. */
export async function standaloneSubject({ home, env, onProgress }: SubjectOptions): Promise<Subject> {
  const main = inRoot('services', 'standalone', 'dist', 'main.js');
  const [port] = await freePorts(1);
  const settings = { ...env, WEFT_HOME: home, WEFT_PORT: String(port), WEFT_LOG_LEVEL: 'warn' };
  onProgress('migrating the store');
  const embedded = await startEmbedded({ root: join(home, 'postgres') });
  await administrate(['migrate'], settings);
  const apiKey = await createKey('prove', settings);
  const url = `http://127.0.0.1:${port}`;
  const service = new ServiceProcess({ name: 'standalone', main, env: settings, url, logFile: join(home, 'logs', 'standalone.log') });
  service.start();
  await service.ready();
  return {
    connection: { url, apiKey },
    storeUrl: storeUrl(embedded.address),
    targets: ['standalone'],
    processOf: () => service,
    kill: async () => {
      await service.kill9();
      service.start();
      await service.ready();
    },
    stop: async () => {
      await service.stop();
      await embedded.stop();
    },
  };
}

/** The mesh on this machine. */
export async function meshSubject({ home, env, onProgress }: SubjectOptions): Promise<Subject> {
  const mesh = await startMesh({ home, onProgress, env: { ...env, WEFT_LOG_LEVEL: 'warn' } });
  return {
    connection: { url: mesh.url, apiKey: mesh.apiKey },
    storeUrl: mesh.storeUrl,
    targets: MESH_SERVICES,
    processOf: (target) => mesh.services[target as MeshService][0]!,
    kill: (target) => mesh.killService(target as MeshService),
    stop: () => mesh.stop(),
  };
}
