import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { logFor, type Log } from '../log/log.js';
import { problemOfThrown } from './problem.js';

/** Answers everything thrown by a controller as `application/problem+json`. A surprise is logged; its stack never leaves. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(service: string) {
    this.#log = logFor(service);
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw thrown;
    const [request, response] = [host.switchToHttp().getRequest<Request>(), host.switchToHttp().getResponse<Response>()];
    const { problem, unexpected } = problemOfThrown(thrown, { method: request.method, path: request.path });
    if (unexpected) this.#log.error('a request met an error', { error: thrown, method: request.method, path: request.path });
    if (response.headersSent) {
      // A stream under way cannot turn into a problem; cutting it tells the reader that it is not whole.
      response.destroy();
      return;
    }
    if (problem.retryAfterMs !== undefined) response.setHeader('Retry-After', Math.max(1, Math.ceil(problem.retryAfterMs / 1000)));
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
