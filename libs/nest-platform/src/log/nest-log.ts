import type { LoggerService } from '@nestjs/common';
import { logFor, type Log } from './log.js';

/** What Nest itself says, through the logger of a service. Its start-up chatter is of level `debug`. */
export class NestLog implements LoggerService {
  readonly #log: Log;

  constructor(service: string) {
    this.#log = logFor(service);
  }

  log(message: unknown, ...more: unknown[]): void {
    this.#log.debug(textOf(message), { from: more.at(-1) });
  }

  error(message: unknown, ...more: unknown[]): void {
    this.#log.error(textOf(message), { from: more.at(-1), ...errorOf(message, more) });
  }

  warn(message: unknown, ...more: unknown[]): void {
    this.#log.warn(textOf(message), { from: more.at(-1) });
  }

  debug(message: unknown, ...more: unknown[]): void {
    this.#log.debug(textOf(message), { from: more.at(-1) });
  }

  verbose(message: unknown, ...more: unknown[]): void {
    this.#log.debug(textOf(message), { from: more.at(-1) });
  }

  fatal(message: unknown, ...more: unknown[]): void {
    this.#log.fatal(textOf(message), { from: more.at(-1), ...errorOf(message, more) });
  }
}

const textOf = (message: unknown): string => (typeof message === 'string' ? message : message instanceof Error ? message.message : JSON.stringify(message));

// Nest calls error(message, stack?, context): an Error may stand in any place but the last.
function errorOf(message: unknown, more: readonly unknown[]): { readonly error?: unknown } {
  const error = [message, ...more].find((part) => part instanceof Error) ?? more.slice(0, -1).find((part) => typeof part === 'string');
  return error === undefined ? {} : { error };
}
