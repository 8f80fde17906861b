// The life of a process: start, signals, drain, exit.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { armFailpoint, readCrash } from '@weft/pipeline';
import { ConfigInvalid } from '../config/load-config.js';
import { configureLog, logFor, type Log } from '../log/log.js';
import { startTelemetry, type Telemetry } from '../telemetry/start-telemetry.js';
import type { PlatformConfig } from '../telemetry/telemetry-settings.js';
import { createApp, DRAIN_DEADLINE_MS, type AppOptions, type RunningApp } from './create-app.js';

/** What a process that dies at its failpoint (WEFT_FAILPOINT) says at last, on stderr: these words, then NAME:SIDE. */
export const FAILPOINT_REACHED = 'failpoint reached:';

/** What a process runs: the application and the settings that every service shares. */
export interface ServiceProcess extends AppOptions {
  readonly config: PlatformConfig;
  /** Runs once it takes work, such as to say so to whoever started it. */
  readonly onReady?: (running: RunningApp) => void | Promise<void>;
}

/**
 * Runs a service until it is told to stop: the last line of a `main.ts`.
 * SIGTERM or SIGINT drains within 25 s and exits with 0; a second signal exits at once with 130 or 143. A failed start or
 * an error that nobody caught is logged and exits with 1.
 * @param service name for log lines until the configuration is read.
 * @param compose reads the configuration and says what to run; a thrown `ConfigInvalid` is shown as it is.
 */
export async function runService(service: string, compose: () => ServiceProcess | Promise<ServiceProcess>): Promise<void> {
  const log = logFor(service);
  exitOnUncaught(log);
  let running: RunningApp;
  let telemetry: Telemetry;
  let options: ServiceProcess;
  try {
    options = await compose();
    configureLog({ level: options.config.WEFT_LOG_LEVEL });
    telemetry = startTelemetry(telemetryOf(options.config));
    if (options.config.WEFT_FAILPOINT !== undefined) armForTest(options.config.WEFT_FAILPOINT);
    const early = signalled();
    running = await createApp(options);
    early.release();
    // A signal during the start stops what has just been started, the same way as later.
    if (early.signal !== undefined) process.nextTick(() => process.emit(early.signal!));
  } catch (error) {
    if (error instanceof ConfigInvalid) log.fatal(error.message, { faults: error.faults });
    else log.fatal('the start failed', { error });
    return process.exit(1);
  }
  exitOnSignal(log, running, telemetry, options.config.WEFT_DRAIN_GRACE_MS);
  log.info('ready', { url: running.url });
  await options.onReady?.(running);
}

/** The telemetry options in the shared settings. */
export function telemetryOf(config: PlatformConfig): Parameters<typeof startTelemetry>[0] {
  return { otlpEndpoint: config.WEFT_OTLP_ENDPOINT ?? config.OTEL_EXPORTER_OTLP_ENDPOINT, traceRatio: config.WEFT_TRACE_RATIO };
}

/** Whoever restarts us sees by the log that it was this crash, and no other. */
function armForTest(text: string): void {
  const reading = readCrash(text);
  if (!reading.ok) throw new Error(reading.rejection.message);
  armFailpoint(reading.crash, ({ name, side }) => {
    writeSync(2, `${FAILPOINT_REACHED} ${name}:${side}\n`);
    process.kill(process.pid, 'SIGKILL');
  });
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];
const EXIT_CODE: Record<Signal, number> = { SIGINT: 130, SIGTERM: 143 };

/** Notes a signal that comes before there is anything to drain. */
function signalled(): { readonly signal: Signal | undefined; release(): void } {
  const noted = { signal: undefined as Signal | undefined, release: (): void => SIGNALS.forEach((name) => process.off(name, note)) };
  const note = (signal: NodeJS.Signals): void => {
    // Nothing was promised to anybody yet: a second signal may end the process as it stands.
    if (noted.signal !== undefined) process.exit(EXIT_CODE[signal as Signal]);
    noted.signal = signal as Signal;
  };
  for (const name of SIGNALS) process.on(name, note);
  return noted;
}

function exitOnSignal(log: Log, running: RunningApp, telemetry: Telemetry, graceMs: number): void {
  let stopping = false;
  const stop = async (signal: Signal): Promise<void> => {
    if (stopping) {
      log.warn('told again to stop: exits without draining', { signal });
      process.exit(EXIT_CODE[signal]);
    }
    stopping = true;
    log.info('draining', { signal });
    running.shutdown.announce();
    // Whoever routes requests needs a moment to see that this process is no longer ready.
    if (graceMs > 0) await sleep(graceMs);
    const { ms, unfinished } = await running.close(DRAIN_DEADLINE_MS - graceMs);
    await telemetry.close();
    if (unfinished.length === 0) log.info('stopped', { ms });
    else log.warn('stopped before everything had finished', { ms, unfinished });
    process.exit(0);
  };
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.fatal('draining failed', { error });
        process.exit(1);
      });
    });
  }
}

// State after an error that nobody caught is unknown. Everything that was promised is durable: dying is safe.
function exitOnUncaught(log: Log): void {
  const die =
    (what: string) =>
    (error: unknown): void => {
      log.fatal(what, { error });
      process.exit(1);
    };
  process.on('uncaughtException', die('an exception that nobody caught'));
  process.on('unhandledRejection', die('a rejection that nobody handled'));
}
