// An OpenAPI document as a source of tools: what was accepted is what is sent, whatever the document says today.
import { identityHeaders, isJsonType, operationRequest, operationsOf, type HttpRequest, type OfferedTool, type OperationWire } from '@weft/tools/core';
import { isJsonObject, rejection, type Failure, type Json } from '@weft/kernel';
import type { Log } from '@weft/nest-platform';
import { contentOf } from '../carry-out/answer-content.js';
import { sendHttp } from '../carry-out/send-http.js';
import type { Sent } from '../carry-out/work.js';
import type { EgressClient } from '../egress/egress-client.js';
import { checkedAnswer, outputProblem } from '../source/output-check.js';
import { SourceUnavailable, type SourceCall, type ToolSource } from '../source/tool-source.js';
import { loadDocuments } from './load-documents.js';

export interface OpenApiSourceOptions {
  readonly name: string;
  readonly identity: Json;
  /** Where the document is: `file:` or http. */
  readonly document: URL;
  /** URL that every operation is reached under. Default: what the document names, where that is public https. */
  readonly server?: string | undefined;
  /** Headers and query parameters with their secrets filled in. @throws SourceUnavailable when one is missing. */
  readonly headersOf: () => { readonly [name: string]: string };
  readonly queryOf: () => { readonly [name: string]: string };
  readonly egress: EgressClient;
  readonly log: Log;
}

export class OpenApiSource implements ToolSource {
  readonly name: string;
  readonly identity: Json;
  #problems = '';

  constructor(private readonly options: OpenApiSourceOptions) {
    this.name = options.name;
    this.identity = options.identity;
  }

  async list(signal: AbortSignal): Promise<readonly OfferedTool[]> {
    const documents = await loadDocuments(this.options.document, { egress: this.options.egress, source: this.name, signal });
    const { operations, problems } = operationsOf(documents);
    this.#tellProblems(problems);
    if (operations.length === 0)
      throw new SourceUnavailable(`Expected operations in the OpenAPI document of source ${this.name} but there is none that can be used${problems.length > 0 ? `: ${problems[0]}` : ''}.`);
    return operations.map(({ name, description, input, output, effect, wire }): OfferedTool => {
      const target = { ...wire, server: this.#serverOf(wire.server) } as unknown as Json;
      return { name, description, input, ...(output ? { output } : {}), effect, target };
    });
  }

  async call({ job, tool, terms, args, sending }: SourceCall): Promise<Sent> {
    const wire = tool.target as unknown as OperationWire;
    const made = this.#request(wire, args);
    if (!made.ok) return { outcome: { kind: 'failed', failure: made.failure } };
    const origin = new URL(wire.server).origin;
    return sendHttp(
      this.options.egress,
      {
        effect: terms.effect,
        request: made.request,
        headers: { ...(made.request.headers as { readonly [name: string]: string }), ...identityHeaders(job) },
        // Where the operator has named the server it may be private; where only the document does, it must be public.
        sender: { name: `source ${this.name}`, origins: this.options.server === undefined ? [] : [origin], mayGoAnywherePublic: this.options.server === undefined },
        isRedirectSuccess: false,
        redirectsMax: 0,
        read: (answer) => {
          const reading = contentOf(answer);
          if (!reading.ok) return { output: null, unusable: rejection('output-invalid', `Expected an answer that can be used but ${reading.problem}.`) };
          // The schema describes the answer in JSON; another format, as an answer without content, is what it is.
          const isDescribed = isJsonType(answer.headers['content-type'] ?? '') && answer.status !== 204;
          return checkedAnswer(reading.content, (output) => (isDescribed ? outputProblem(tool, output) : undefined));
        },
      },
      sending,
    );
  }

  async close(): Promise<void> {}

  #request(wire: OperationWire, args: Json): { readonly ok: true; readonly request: HttpRequest } | { readonly ok: false; readonly failure: Failure } {
    try {
      const made = operationRequest(wire, wire.server, isJsonObject(args) ? args : {}, this.options.headersOf());
      if (!made.ok) return made;
      const url = new URL(made.request.url);
      for (const [name, value] of Object.entries(this.options.queryOf())) url.searchParams.set(name, value);
      return { ok: true, request: { ...made.request, url: url.href } };
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      return { ok: false, failure: rejection('not-configured', error.message) };
    }
  }

  #serverOf(named: string): string {
    const { server, document, name } = this.options;
    const text = server ?? named;
    const url = URL.canParse(text, document.href) ? new URL(text, document.href) : undefined;
    if (!url || !/^https?:$/.test(url.protocol))
      throw new SourceUnavailable(`Expected a server for the operations of source ${name} but its document names ${JSON.stringify(named)}: declare \`server\`.`);
    return url.href.replace(/\/$/, '');
  }

  #tellProblems(problems: readonly string[]): void {
    const text = problems.slice(0, 20).join('\n');
    if (text !== '' && text !== this.#problems) this.options.log.warn('operations of an OpenAPI document cannot be used', { source: this.name, operations: problems.length, reasons: text });
    this.#problems = text;
  }
}
