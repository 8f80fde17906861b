// An MCP server as a source of tools: connected when it is needed, again after it has gone, and never asked faster than it fails.
import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { rejection, type Json, type JsonObject } from '@weft/kernel';
import type { OfferedTool } from '@weft/tools/core';
import { notMade, PAST_DEADLINE, type Sent } from '../carry-out/work.js';
import { outputProblem } from '../source/output-check.js';
import { SourceUnavailable, type SourceCall, type ToolSource } from '../source/tool-source.js';
import { outcomeOfError, sentOf } from './mcp-answer.js';
import { McpConnection, type McpEndpoint, type McpProtocol } from './mcp-connection.js';
import { callWatch, type CallWatch } from './mcp-fetch.js';
import { metaOf } from './mcp-meta.js';

/** Tools that one server may offer. */
export const TOOLS_PER_SOURCE_MAX = 1_000;
const CONNECT_MS = 15_000;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 30_000;

export interface McpSourceOptions {
  readonly name: string;
  readonly identity: Json;
  readonly endpoint: McpEndpoint;
  readonly protocol: McpProtocol;
}

export class McpSource implements ToolSource {
  readonly name: string;
  readonly identity: Json;
  readonly #listeners: (() => void)[] = [];
  /** Connections whose calls have not ended, the current one among them. */
  readonly #open = new Set<McpConnection>();
  #current: Promise<McpConnection> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #isClosed = false;

  constructor(private readonly options: McpSourceOptions) {
    this.name = options.name;
    this.identity = options.identity;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async list(signal: AbortSignal): Promise<readonly OfferedTool[]> {
    const connection = await this.#connected(CONNECT_MS);
    let tools: readonly Tool[];
    try {
      ({ tools } = await connection.use((client) => client.listTools(undefined, { cacheMode: 'bypass', timeout: CONNECT_MS, signal })));
    } catch (error) {
      if (!connection.isUsable || !signal.aborted) this.#drop(connection);
      throw new SourceUnavailable(`Expected source ${this.name} to list its tools but ${(error as Error).message}.`, { cause: error });
    }
    if (tools.length > TOOLS_PER_SOURCE_MAX) throw new SourceUnavailable(`Expected source ${this.name} to offer at most ${TOOLS_PER_SOURCE_MAX} tools but it offers ${tools.length}.`);
    return tools.map(offeredOf);
  }

  async call({ job, tool, terms, args, sending }: SourceCall): Promise<Sent> {
    const leftMs = (): number => Math.floor(sending.untilMs - performance.now());
    if (leftMs() <= 0) return notMade(PAST_DEADLINE);
    let connection: McpConnection;
    try {
      connection = await this.#connected(leftMs());
    } catch (error) {
      return notMade(rejection('unreachable', (error as Error).message, { retryable: true }));
    }
    const watch: CallWatch = { mayRepeat: terms.effect !== 'non-idempotent-write', signal: sending.signal, untilMs: sending.untilMs, discards: [] };
    const toolDefinition = { name: tool.name, inputSchema: tool.input } as Tool;
    const evidence: JsonObject = { source: this.name, protocol: connection.protocol };
    let isSent = false;
    try {
      const result = await connection.use((client) =>
        callWatch.run(watch, () => {
          const timeout = leftMs();
          if (timeout <= 0 || !connection.isUsable || sending.halted?.aborted) throw new Error('the connection has ended, the deadline has passed, or it was stopped');
          isSent = true;
          return client
            .callTool(
              { name: tool.name, arguments: args as Record<string, unknown>, _meta: metaOf(job, sending) },
              { timeout, maxTotalTimeout: timeout, toolDefinition, ...(sending.signal ? { signal: sending.signal } : {}) },
            )
            .catch((error: unknown) => {
              // A deadline on a shared pipe: the server may be stuck, and what it does for nobody is to end.
              if (leftMs() <= 1) connection.condemn();
              throw error;
            });
        }),
      );
      return { ...sentOf(result as CallToolResult, terms, (output) => outputProblem(tool, output)), evidence };
    } catch (error) {
      return { outcome: outcomeOfError(error, terms, watch, isSent), evidence };
    } finally {
      for (const discard of watch.discards) discard();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#open].map((connection) => connection.close()));
  }

  /** The connection, made when there is none. A call waits for one that is being made; while the server is failing nobody tries. @throws SourceUnavailable */
  async #connected(timeoutMs: number): Promise<McpConnection> {
    const known = await this.#current?.catch(() => undefined);
    if (known?.isUsable) return known;
    if (this.#isClosed) throw new SourceUnavailable(`Expected source ${this.name} to be open but Weft is going.`);
    const waitMs = Math.ceil(this.#notBeforeMs - performance.now());
    if (waitMs > 0) throw new SourceUnavailable(`Expected a connection to source ${this.name} but it has failed ${this.#failures} times: it is tried again in ${waitMs} ms.`);
    // Somebody else may have begun while this one was looking.
    const begun = this.#current;
    if (begun && (await begun.then((one) => one.isUsable).catch(() => false))) return begun;
    const opening = this.#connect(Math.min(CONNECT_MS, Math.max(1, timeoutMs)));
    this.#current = opening;
    return opening;
  }

  async #connect(timeoutMs: number): Promise<McpConnection> {
    const { endpoint, protocol } = this.options;
    let opened: McpConnection | undefined;
    try {
      opened = await McpConnection.open(endpoint, protocol, {
        timeoutMs,
        onEnd: () => opened && this.#open.delete(opened),
        onChange: () => this.#listeners.forEach((tell) => tell()),
      });
    } catch (error) {
      this.#failures++;
      this.#notBeforeMs = performance.now() + Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (this.#failures - 1));
      throw new SourceUnavailable(`Expected a connection to source ${this.name} but ${(error as Error).message.replace(/\.$/, '')}.`, { cause: error });
    }
    this.#failures = 0;
    this.#open.add(opened);
    // Whoever comes after a reconnection meets perhaps another server.
    this.#listeners.forEach((tell) => tell());
    return opened;
  }

  #drop(connection: McpConnection): void {
    connection.condemn();
    void connection.close().catch(() => undefined);
  }
}

const offeredOf = ({ name, title, description = '', inputSchema, outputSchema, annotations }: Tool): OfferedTool => ({
  name,
  description,
  input: inputSchema as unknown as JsonObject,
  ...(outputSchema === undefined ? {} : { output: outputSchema as unknown as JsonObject }),
  ...(title === undefined && annotations === undefined ? {} : { hints: JSON.parse(JSON.stringify({ title, annotations })) as JsonObject }),
});
