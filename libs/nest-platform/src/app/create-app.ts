// One Nest application: HTTP for health and an optional API, plus the transports that services bring.
import 'reflect-metadata';
import type { Server as HttpServer } from 'node:http';
import type { RequestHandler } from 'express';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { BusTransport } from '../bus/bus.transport.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { NestLog } from '../log/nest-log.js';
import { Intake } from './intake.js';
import { PlatformModule } from './platform.module.js';
import { Shutdown, type DrainReport } from './shutdown.js';

export interface AppOptions {
  /** Name of the process in log lines. */
  readonly service: string;
  /** The module to run: a service's own, or one that imports several. */
  readonly module: Type | DynamicModule;
  readonly http: {
    /** 0 takes a free port. */
    readonly port: number;
    /** Default 127.0.0.1. */
    readonly host?: string;
    /** Bytes of a request body at most. Default 1 MiB + 64 KiB, so that the limits of requests are judged by their own rules. */
    readonly bodyBytesMax?: number;
  };
  /** The transports that take work in: gRPC, the bus. Asked once the modules exist, so that they may come out of the application. */
  readonly transports?: (app: NestExpressApplication) => readonly MicroserviceOptions[];
  /** Middleware that sees requests before their bodies are read. */
  readonly before?: readonly RequestHandler[];
  /** Runs before anything listens: middleware, static files, shutdown steps of the composition. */
  readonly prepare?: (app: NestExpressApplication) => void | Promise<void>;
}

/** An application that takes work. */
export interface RunningApp {
  readonly app: NestExpressApplication;
  readonly shutdown: Shutdown;
  /** Address of its HTTP listener, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Drains in order and closes. Default deadline 25 s. */
  close(deadlineMs?: number): Promise<DrainReport>;
}

/** The drain deadline: orchestrators of containers kill after 30 s. */
export const DRAIN_DEADLINE_MS = 25_000;

// Longer than the minute after which load balancers let go of an idle connection.
const KEEP_ALIVE_MS = 75_000;
const BODY_BYTES_MAX = 1024 * 1024 + 64 * 1024;
const JSON_TYPES = ['application/json', 'application/*+json'];

@Module({})
class ApplicationModule {}

/**
 * Makes the application and starts it: modules, then transports, then HTTP. JSON bodies are parsed and also kept as
 * `request.rawBody`; bodies of other types come as bytes. Thrown refusals are answered as problems.
 */
export async function createApp(options: AppOptions): Promise<RunningApp> {
  const { service, http } = options;
  const root: DynamicModule = { module: ApplicationModule, imports: [PlatformModule, options.module] };
  const app = await NestFactory.create<NestExpressApplication>(root, { logger: new NestLog(service), bodyParser: false, rawBody: true, abortOnError: false });
  const shutdown = app.get(Shutdown);
  try {
    const limit = http.bodyBytesMax ?? BODY_BYTES_MAX;
    for (const handler of options.before ?? []) app.use(handler);
    app.useBodyParser('json', { limit, type: JSON_TYPES, strict: false });
    app.useBodyParser('raw', { limit, type: () => true });
    app.disable('x-powered-by');
    app.useGlobalFilters(new ProblemFilter(service));
    await options.prepare?.(app);
    for (const [index, transport] of (options.transports?.(app) ?? []).entries()) {
      const server = app.connectMicroservice<MicroserviceOptions>(transport);
      // The bus brings results of workers in the same process too: it is left when jobs that came over it have ended.
      const phase = 'strategy' in transport && transport.strategy instanceof BusTransport ? 'workers' : 'intake';
      shutdown.on(phase, `transport ${index}`, () => server.close());
    }
    await app.init();
    await app.startAllMicroservices();
    // Node's 5 s would cut connections that a caller is about to use again, and faster the busier the process is.
    (app.getHttpServer() as HttpServer).keepAliveTimeout = KEEP_ALIVE_MS;
    app.get(Intake).open();
    await app.listen(http.port, http.host ?? '127.0.0.1');
    shutdown.on('intake', 'http', () => closeHttp(app.getHttpServer() as HttpServer));
  } catch (error) {
    await shutdown.drain(DRAIN_DEADLINE_MS);
    await app.close();
    throw error;
  }
  return {
    app,
    shutdown,
    url: await app.getUrl(),
    close: async (deadlineMs = DRAIN_DEADLINE_MS) => {
      const report = await shutdown.drain(deadlineMs);
      await app.close();
      return report;
    },
  };
}

const IDLE_LOOK_MS = 25;

/** Takes no more connections and waits for the answers under way. */
function closeHttp(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    // A connection that is kept alive turns idle once its answer is out, and would stay open for seconds: look again.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
    server.close(() => {
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}
