import { contextOf } from '@weft/contracts';
import { describe, expect, it } from 'vitest';
import { checkRequest } from './check-request.js';

const request = { id: 'r', source: '/s', type: 't', subject: '', dataJson: '{}' };
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function contextAfter(context: { readonly traceparent: string; readonly tracestate: string }) {
  const check = checkRequest(request, contextOf({ tenant: 'default', ...context }));
  return check.ok ? { traceparent: check.incoming.context.traceparent, tracestate: check.incoming.context.tracestate } : check.rejection;
}

describe('checkRequest', () => {
  it('goes on with the trace of the request', () => {
    expect(contextAfter({ traceparent, tracestate: 'a=b' })).toEqual({ traceparent, tracestate: 'a=b' });
  });

  it('takes a trace that cannot be read as none', () => {
    expect(contextAfter({ traceparent: 'garbage-in', tracestate: 'a=b' })).toEqual({ traceparent: '', tracestate: '' });
  });
});
