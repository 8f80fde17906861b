// Refusals in the shape that OpenAI's clients read.
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { logFor, problemOfThrown, type Problem } from '@weft/nest-platform';
import type { Request, Response } from 'express';

@Catch()
export class OpenAiErrorFilter implements ExceptionFilter {
  readonly #log = logFor('gateway');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const [request, response] = [host.switchToHttp().getRequest<Request>(), host.switchToHttp().getResponse<Response>()];
    const { problem, unexpected } = problemOfThrown(thrown, { method: request.method, path: request.path });
    if (unexpected) this.#log.error('a chat met an error', { error: thrown });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.retryAfterMs !== undefined) response.setHeader('Retry-After', Math.max(1, Math.ceil(problem.retryAfterMs / 1000)));
    // Clients of OpenAI repeat 5xx by themselves; what a workflow failed on would fail again.
    const status = problem.code === 'workflow-failed' ? 422 : problem.status;
    if (!problem.retryable) response.setHeader('x-should-retry', 'false');
    response.status(status).json(openAiError(problem, status));
  }
}

/** The error in the shape that OpenAI's clients read. */
export const openAiError = ({ detail, code, status }: Problem, shown = status): object => ({ error: { message: detail, type: typeOf(shown), param: null, code } });

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
