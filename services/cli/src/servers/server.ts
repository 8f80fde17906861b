// Servers that the mesh needs on this machine: started, adopted and stopped as processes of their own.
import { refuse } from '@weft/kernel';

/** A server that runs, whoever started it. */
export interface LocalServer {
  readonly name: 'kafka' | 'redis';
  /** `host:port` on the loopback interface. */
  readonly address: string;
  /** Undefined when it runs in a container. */
  readonly pid: number | undefined;
  /** Stops it, gently first; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Directory for everything the server keeps, such as `.weft/kafka`. Made when missing. */
  readonly root: string;
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Told in one line what takes long. */
  readonly onProgress?: (line: string) => void;
}

/** Refuses with what is missing and how to get it. Code `server-unavailable`. */
export function serverUnavailable(name: LocalServer['name'], missing: readonly string[], remedy: string): never {
  return refuse('server-unavailable', `Expected a way to run ${name} on this machine but ${missing.join('; ')}. ${remedy}`, { details: { server: name, missing } });
}
