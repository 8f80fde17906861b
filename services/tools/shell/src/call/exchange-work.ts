// One exchange over HTTP as the standard's calls have it, with the credentials of its policy.
import type { JsonObject } from '@weft/kernel';
import type { Job } from '@weft/contracts';
import { identityHeaders, outputOf, type HttpCall, type HttpRequest } from '@weft/tools/core';
import { authorizationHeader, authorizationOf } from '../authentication/authorization.js';
import type { TokenSource } from '../authentication/token-source.js';
import { callContentOf } from '../carry-out/answer-content.js';
import { unusable, workOf, type HttpPorts } from '../carry-out/http-work.js';
import { sendAuthorized, type HttpExchanging } from '../carry-out/send-http.js';
import type { WorkMaking } from '../carry-out/work.js';
import type { AuthorizationDescriptor } from '../secret/deferred-arguments.js';
import type { Withheld } from '../secret/withheld.js';
import { callSender } from './call-making.js';

export interface ExchangePorts extends HttpPorts {
  readonly accessTokens: TokenSource;
  /** For an endpoint to answer, milliseconds. */
  readonly callTimeoutMs: number;
}

/** A call whose arguments are known. */
export interface ReadyCall {
  /** For the ledger, evidence and spans: `call:http`. */
  readonly name: string;
  /** Label of what is answered. */
  readonly taint: string;
  readonly call: HttpCall;
  /** The same with the task's credentials in its arguments; absent: none of them names any. */
  readonly callWith?: (credentials: AuthorizationDescriptor) => HttpCall | undefined;
  readonly withheld: Withheld;
}

/** Failure code: `not-configured`, for a policy that cannot be used. */
export function exchangeWork(ports: ExchangePorts, job: Job, { name, taint, call, callWith, withheld }: ReadyCall): WorkMaking {
  const sender = callSender(name, job);
  const exchanging = (used: HttpCall): HttpExchanging => ({
    effect: used.effect,
    request: used.request,
    headers: { ...(used.request.headers as { readonly [name: string]: string }), ...identityHeaders(job) },
    sender,
    isRedirectSuccess: used.isRedirectSuccess,
    // The standard's `redirect` says which statuses are errors, not where to go.
    redirectsMax: 0,
    read: (answer) => {
      const content = callContentOf(answer);
      if (used.output === 'raw' ? answer.isTooLong : !content.ok) return unusable(content.ok ? '' : content.problem);
      const headers: JsonObject = answer.headers;
      return { output: outputOf(used.output, { status: answer.status, headers, content: content.ok ? content.content : null, base64: answer.body.toString('base64') }, used.request) };
    },
  });
  const plain = exchanging(call);
  const work = workOf(ports, job, name, ports.callTimeoutMs, [taint], plain);
  if (call.authentication === undefined) return { ok: true, work };
  const made = authorizationOf(call.authentication, ports.accessTokens, { tenant: job.context?.tenant ?? '', sender });
  if (!made.ok) return made;
  const exchangingFor = (credentials: AuthorizationDescriptor | undefined): HttpExchanging => {
    if (!credentials) return plain;
    withheld.add('authorization', credentials.parameter);
    const { headers, ...more } = exchanging(callWith?.(credentials) ?? call);
    return { ...more, headers: { ...withoutAuthorization(headers), authorization: authorizationHeader(credentials) } };
  };
  return { ok: true, work: { ...work, send: (sending) => sendAuthorized(ports.egress, made.authorization, exchangingFor, sending) } };
}

const withoutAuthorization = (headers: HttpRequest['headers']): { readonly [name: string]: string } =>
  Object.fromEntries(Object.entries(headers as { readonly [name: string]: string }).filter(([name]) => name.toLowerCase() !== 'authorization'));

/** The host of a URL with its port; empty where it is none. */
export const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '');
