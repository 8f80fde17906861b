// One connection to an MCP server, of whichever protocol version both speak.
import { Client, StreamableHTTPClientTransport, SUPPORTED_PROTOCOL_VERSIONS, type ClientOptions, type Transport } from '@modelcontextprotocol/client';
import type { EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import { mcpFetch } from './mcp-fetch.js';
import { StdioTransport, type ServerCommand } from './stdio-transport.js';

/** Where a server is. */
export type McpEndpoint =
  | ({ readonly kind: 'stdio' } & ServerCommand)
  | { readonly kind: 'http'; readonly url: string; readonly egress: EgressClient; readonly sender: Sender; readonly headersOf: () => { readonly [name: string]: string } };

/** `auto`: the newest that both speak; `offered`: the first of these, or the other that the server takes of them; otherwise exactly this one. */
export type McpProtocol = 'auto' | '2025' | '2026-07-28' | { readonly offered: readonly string[] };

/** Versions that are spoken with a handshake, the newest first. */
export const HANDSHAKE_VERSIONS = SUPPORTED_PROTOCOL_VERSIONS;

const CLIENT = { name: 'weft', version: '0.1.0' };
// A server of the older protocols that never answers what it does not know is taken for one after this long.
const PROBE_MS = 2_000;

/** A connection that is open, and the calls on their way over it. */
export class McpConnection {
  #underWay = 0;
  #isCondemned = false;
  #isOver = false;

  private constructor(
    readonly client: Client,
    private readonly transport: Transport,
  ) {}

  /** Connects and agrees on a protocol version. `onEnd`: told once when it is over. @throws Error when there is no connection. */
  static async open(
    endpoint: McpEndpoint,
    protocol: McpProtocol,
    options: {
      readonly timeoutMs: number;
      /** What it calls itself. Default: Weft. */
      readonly client?: { readonly name: string; readonly version: string } | undefined;
      readonly onEnd: () => void;
      readonly onChange: () => void;
    },
  ): Promise<McpConnection> {
    const transport = transportOf(endpoint);
    const client = new Client(options.client ?? CLIENT, {
      capabilities: {},
      ...negotiationOf(protocol, Math.min(PROBE_MS, options.timeoutMs)),
      // Nobody stands by to be asked in the middle of a call.
      inputRequired: { autoFulfill: false },
      // Outputs are checked against the pinned definition, not against what the server says today.
      jsonSchemaValidator: { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
    });
    const connection = new McpConnection(client, transport);
    client.setNotificationHandler('notifications/tools/list_changed', () => options.onChange());
    // What is out of order is met by the call that it concerns.
    client.onerror = () => undefined;
    client.onclose = () => {
      connection.#isOver = true;
      options.onEnd();
    };
    try {
      await client.connect(transport, { timeout: options.timeoutMs });
    } catch (error) {
      const ending = transport instanceof StdioTransport ? transport.ending : '';
      connection.#end('it could not be spoken with');
      throw ending === '' ? error : new Error(`${(error as Error).message}: ${ending}`, { cause: error });
    }
    return connection;
  }

  /** Whether new calls may go over it. */
  get isUsable(): boolean {
    return !this.#isOver && !this.#isCondemned;
  }

  get protocol(): string {
    return this.client.getNegotiatedProtocolVersion() ?? '';
  }

  /** Runs a call over it. */
  async use<T>(call: (client: Client) => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await call(this.client);
    } finally {
      this.#underWay--;
      if (this.#isCondemned && this.#underWay === 0) this.#end('a call ran into its deadline');
    }
  }

  /** A call has run into its deadline: nothing new goes to this process, and it is killed when the calls beside it have ended. Over HTTP there is nothing to kill. */
  condemn(): void {
    if (this.transport instanceof StdioTransport) this.#isCondemned = true;
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  #end(reason: string): void {
    if (this.transport instanceof StdioTransport) this.transport.kill(reason);
    else void this.client.close().catch(() => undefined);
  }
}

function negotiationOf(protocol: McpProtocol, probeMs: number): Pick<ClientOptions, 'versionNegotiation' | 'supportedProtocolVersions'> {
  const probe = { timeoutMs: probeMs };
  if (typeof protocol === 'string') return { versionNegotiation: { mode: protocol === 'auto' ? 'auto' : protocol === '2025' ? 'legacy' : { pin: protocol }, probe } };
  return { versionNegotiation: { mode: 'legacy', probe }, supportedProtocolVersions: [...protocol.offered] };
}

function transportOf(endpoint: McpEndpoint): Transport {
  if (endpoint.kind === 'stdio') return new StdioTransport(endpoint);
  const url = new URL(endpoint.url);
  return new StreamableHTTPClientTransport(url, {
    fetch: mcpFetch(endpoint.egress, endpoint.sender, endpoint.headersOf),
    reconnectionOptions: { initialReconnectionDelay: 250, maxReconnectionDelay: 5_000, reconnectionDelayGrowFactor: 2, maxRetries: 5 },
    onInsufficientScope: 'throw',
  });
}
