// The MCP client of tools as the official conformance suite starts it: the URL of its server is the last argument. It lists the tools and calls each once.
import type { Json, JsonObject } from '@weft/kernel';
import { termsOf } from '@weft/tools/core';
import { EgressClient } from '../egress/egress-client.js';
import { EgressPolicy } from '../egress/egress-policy.js';
import { McpSource } from './mcp-source.js';

const url = process.argv.at(-1) ?? '';
const egress = new EgressClient(new EgressPolicy([new URL(url).origin]));
const source = new McpSource({
  name: 'conformance',
  identity: url,
  endpoint: { kind: 'http', url, egress, sender: { name: 'conformance', origins: [new URL(url).origin], mayGoAnywherePublic: false }, headersOf: () => ({}) },
  protocol: 'auto',
});
try {
  for (const tool of await source.list(AbortSignal.timeout(20_000))) {
    const { outcome, answer } = await source.call({
      job: {
        id: 'conformance',
        executionId: '01890000-0000-7000-8000-000000000000',
        context: undefined,
        kind: 'tool',
        generation: 0,
        idempotencyKey: `default/conformance/${tool.name}/0`,
        pointer: '/do/0',
        iteration: '',
        inputJson: '',
        models: [],
        settlement: undefined,
        workflow: '',
        approvals: [],
        agent: '',
      },
      tool,
      terms: termsOf(tool, [{ match: '*', effect: 'read' }], {}),
      args: argumentsFor(tool.input),
      sending: { untilMs: performance.now() + 20_000, traceparent: '' },
    });
    process.stdout.write(`${tool.name}: ${outcome.kind} ${JSON.stringify(answer?.output ?? (outcome.kind === 'confirmed' ? null : outcome.failure.message))}\n`);
  }
} finally {
  await source.close();
  egress.close();
}

/** Arguments that fit a schema of plain fields. */
function argumentsFor(input: JsonObject): JsonObject {
  const properties = (input['properties'] ?? {}) as { readonly [name: string]: { readonly type?: Json } };
  const sample: { readonly [type: string]: Json } = { number: 5, integer: 5, boolean: true, string: 'text', array: [], object: {} };
  return Object.fromEntries(Object.entries(properties).map(([name, { type }]) => [name, sample[String(type)] ?? null]));
}
