// One connection to a gRPC server: to an address that was checked, and ended for good when it breaks.
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { Client, connectivityState, credentials, status, type Metadata, type ServiceError } from '@grpc/grpc-js';
import type { EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import { SourceUnavailable } from '../source/tool-source.js';

export interface GrpcTarget {
  /** Named in refusals. */
  readonly source: string;
  /** `host:port`. */
  readonly target: string;
  readonly tls: boolean;
  /** PEM file of the authority that signed the server's certificate. Default: those of the system. */
  readonly caFile?: string | undefined;
  /** Who wants to go there. Default: a source that declares it. */
  readonly sender?: Sender | undefined;
}

/** What came of a call: the bytes of the answer, or the status. */
export type GrpcResult = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly code: number; readonly details: string };

/** What came of a stream: all messages of the answer, or the status. */
export type GrpcGathering = { readonly ok: true; readonly messages: readonly Buffer[] } | Extract<GrpcResult, { ok: false }>;

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Of the answers of one stream, together. */
const GATHERED_BYTES_MAX = 4 * 1024 * 1024;
const GATHERED_MAX = 10_000;
// What the library says of a call that ended well but without an answer. Source: grpc-js, client.ts.
const NO_MESSAGE = 'No message received';

export class GrpcConnection {
  #isUsable = true;
  #calls = 0;

  private constructor(readonly client: Client) {}

  /**
   * Connects. Every address that the name has is checked as egress checks them; the connection goes to what was checked.
   * @throws SourceUnavailable when there is no connection within the time: nothing was sent.
   */
  static async open(egress: EgressClient, { source, target, tls, caFile, sender }: GrpcTarget, timeoutMs: number): Promise<GrpcConnection> {
    const origin = `${tls ? 'https' : 'http'}://${target}`;
    const found = await egress.addressesOf(origin, sender ?? { name: `source ${source}`, origins: [origin], mayGoAnywherePublic: false });
    if (!found.ok) throw new SourceUnavailable(found.message);
    const url = new URL(origin);
    const port = url.port || (tls ? '443' : '80');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // One family at a time: grpc tries the addresses of one target in turn.
    const family = isIPv6(found.addresses[0] ?? '') ? 'ipv6' : 'ipv4';
    const addresses = found.addresses.filter((address) => isIPv6(address) === (family === 'ipv6'));
    const list = addresses.map((address) => (family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`)).join(',');
    const client = new Client(`${family}:${list}`, tls ? credentials.createSsl(caFile === undefined ? null : readFileSync(caFile)) : credentials.createInsecure(), {
      'grpc.default_authority': url.port ? target : `${host}:${port}`,
      ...(tls ? { 'grpc.ssl_target_name_override': host } : {}),
      // Neither proxies of the environment nor what a name server says about a service lead elsewhere.
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.use_local_subchannel_pool': 1,
    });
    const connection = new GrpcConnection(client);
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (!error) return resolve();
        client.close();
        reject(new SourceUnavailable(`Expected a connection to ${target} of source ${source} within ${timeoutMs} ms but there was none.`, { cause: error }));
      });
    });
    connection.#watch();
    return connection;
  }

  /** Calls on their way. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether it still stands. One that broke is never used again: the server that comes back may be another one. */
  get isUsable(): boolean {
    return this.#isUsable && this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Calls once. Never rejects. @param deadline milliseconds since the Unix epoch. */
  async call(path: string, request: Buffer, metadata: Metadata, deadline: number): Promise<GrpcResult> {
    this.#calls++;
    try {
      return await new Promise((resolve) => {
        let isAnswered = false;
        const same = (bytes: Buffer): Buffer => bytes;
        const received = (bytes: Buffer): Buffer => {
          isAnswered = true;
          return bytes;
        };
        this.client.makeUnaryRequest(path, same, received, request, metadata, { deadline }, (error: ServiceError | null, bytes?: Buffer) => {
          if (!error) return resolve({ ok: true, bytes: bytes ?? Buffer.alloc(0) });
          const details = error.details || error.message;
          // The library says UNIMPLEMENTED of a call that was carried out, when its answer is none or more than one.
          const isOwn = error.code === status.UNIMPLEMENTED && (isAnswered || details === NO_MESSAGE);
          resolve({ ok: false, code: isOwn ? status.INTERNAL : error.code, details });
        });
      });
    } finally {
      this.#calls--;
      if (!this.#isUsable) this.end();
    }
  }

  /** Sends all messages and gathers all that come back: on the wire every kind of method is such a stream. Never rejects. @param deadline milliseconds since the Unix epoch. */
  gather(path: string, requests: readonly Buffer[], metadata: Metadata, deadline: number): Promise<GrpcGathering> {
    this.#calls++;
    const same = (bytes: Buffer): Buffer => bytes;
    const stream = this.client.makeBidiStreamRequest(path, same, same, metadata, { deadline });
    const messages: Buffer[] = [];
    let bytes = 0;
    return new Promise<GrpcGathering>((resolve) => {
      stream.on('data', (message: Buffer) => {
        bytes += message.length;
        messages.push(message);
        if (bytes <= GATHERED_BYTES_MAX && messages.length <= GATHERED_MAX) return;
        resolve({ ok: false, code: status.INTERNAL, details: `it streams more than ${GATHERED_MAX} messages or ${GATHERED_BYTES_MAX} bytes` });
        stream.cancel();
      });
      stream.on('error', ({ code, details, message }: ServiceError) => resolve({ ok: false, code, details: details || message }));
      stream.on('end', () => undefined);
      stream.on('status', ({ code, details }: { readonly code: number; readonly details: string }) => resolve(code === status.OK ? { ok: true, messages } : { ok: false, code, details }));
      for (const request of requests) stream.write(request);
      stream.end();
    }).finally(() => {
      this.#calls--;
      if (!this.#isUsable) this.end();
    });
  }

  /** Takes no more calls; closes when those under way have ended. */
  end(): void {
    this.#isUsable = false;
    if (this.#calls === 0) this.client.close();
  }

  #watch(): void {
    this.client.getChannel().watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => this.end());
  }
}
