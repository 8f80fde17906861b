// `call: http` made ready.
import { readHttpCall } from '@weft/tools/core';
import type { CallMaker } from './call-making.js';
import { exchangeWork, hostOf, type ExchangePorts } from './exchange-work.js';

export function httpCalls(ports: ExchangePorts): CallMaker {
  return (job, args, { withheld, withCredentials }) => {
    const reading = readHttpCall(args);
    if (!reading.ok) return { on: { action: 'http', url: '', method: '', effect: 'read' }, made: reading };
    const { call } = reading;
    const again = withCredentials && {
      callWith: (credentials: Parameters<typeof withCredentials>[0]) => {
        const second = readHttpCall(withCredentials(credentials) ?? null);
        return second.ok ? second.call : undefined;
      },
    };
    const made = exchangeWork(ports, job, { name: 'call:http', taint: `http:${hostOf(call.request.url)}`, call, withheld, ...again });
    return { on: { action: 'http', url: call.request.url, method: call.request.method, effect: call.effect }, made };
  };
}
