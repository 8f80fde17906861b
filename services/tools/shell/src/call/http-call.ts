// `call: http` made ready.
import { callWork, type HttpPorts } from '../carry-out/http-work.js';
import type { CallMaker } from './call-making.js';

/** @param timeoutMs for an endpoint to answer. */
export function httpCalls(ports: HttpPorts, timeoutMs: number): CallMaker {
  return (job, args) => {
    const made = callWork(ports, job, args, timeoutMs);
    const { url = '', method = '' } = made.ok ? (made.work.request as { readonly url?: string; readonly method?: string }) : {};
    return { on: { action: 'http', url, method, effect: made.ok ? made.work.effect : 'read' }, made };
  };
}
