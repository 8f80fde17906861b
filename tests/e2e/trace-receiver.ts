// A collector that only listens: keeps which services sent spans of which trace. OTLP over HTTP in JSON.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface OtlpTraces {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly { readonly traceId: string; readonly name: string }[] }[];
  }[];
}

export interface TraceReceiver {
  readonly url: string;
  /** Names of the services that have sent spans of a trace, sorted. */
  servicesOf(traceId: string): readonly string[];
  close(): Promise<void>;
}

export async function startTraceReceiver(): Promise<TraceReceiver> {
  const services = new Map<string, Set<string>>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      note(services, JSON.parse(Buffer.concat(chunks).toString()) as OtlpTraces);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    servicesOf: (traceId) => [...(services.get(traceId) ?? [])].sort(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function note(services: Map<string, Set<string>>, { resourceSpans = [] }: OtlpTraces): void {
  for (const { resource, scopeSpans = [] } of resourceSpans) {
    const name = resource?.attributes?.find(({ key }) => key === 'service.name')?.value.stringValue ?? '(none)';
    for (const { traceId } of scopeSpans.flatMap(({ spans = [] }) => spans)) {
      const known = services.get(traceId) ?? new Set();
      known.add(name);
      services.set(traceId, known);
    }
  }
}
