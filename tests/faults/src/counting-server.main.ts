#!/usr/bin/env node
// Prints {"url": ..., "grpc"?: ..., "receipts": N} as one line when ready; SIGTERM or SIGINT closes it. A kill -9 loses no answered receipt.
import { parseArgs } from 'node:util';
import { startCountingServer } from './counting-server.js';

const USAGE = `usage: counting-server.main.js --file FILE [--port N] [--idempotent TOOL]... [--delay-ms N] [--lost-answer RATE] [--seed N] [--mcp] [--grpc] [--grpc-port N]
  --file         receipts, one line of JSON each; continued when it exists
  --port         on 127.0.0.1; default 0: a free one
  --idempotent   a tool that answers a repeated key with its first answer; may be given several times
  --delay-ms     wait between an effect and its answer; default 0
  --lost-answer  share of effects whose connection is cut instead of an answer, 0 to 1; default 0
  --seed         chooses which answers get lost; default 1
  --mcp          be an MCP server too, at /mcp of the same port: tools read, idempotent, once, happened
  --grpc         be a gRPC server too, with reflection: counting.v1.Effects
  --grpc-port    on 127.0.0.1; default 0: a free one
`;

try {
  const { values } = parseArgs({
    options: {
      file: { type: 'string' },
      port: { type: 'string', default: '0' },
      idempotent: { type: 'string', multiple: true, default: [] },
      'delay-ms': { type: 'string', default: '0' },
      'lost-answer': { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      mcp: { type: 'boolean', default: false },
      grpc: { type: 'boolean', default: false },
      'grpc-port': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) process.stdout.write(USAGE);
  else await serve(values);
} catch (error) {
  process.stderr.write(`counting-server: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

interface Flags {
  readonly file?: string;
  readonly port: string;
  readonly idempotent: string[];
  readonly 'delay-ms': string;
  readonly 'lost-answer': string;
  readonly seed: string;
  readonly mcp: boolean;
  readonly grpc: boolean;
  readonly 'grpc-port': string;
}

async function serve(values: Flags): Promise<void> {
  if (!values.file) throw new Error(`Expected --file FILE, but it is missing\n${USAGE}`);
  const server = await startCountingServer({
    file: values.file,
    idempotent: values.idempotent,
    port: number('--port', values.port, 65_535),
    delayMs: number('--delay-ms', values['delay-ms'], 3_600_000),
    lostAnswer: number('--lost-answer', values['lost-answer'], 1),
    seed: number('--seed', values.seed, Number.MAX_SAFE_INTEGER),
    mcp: values.mcp,
    ...(values.grpc ? { grpcPort: number('--grpc-port', values['grpc-port'], 65_535) } : {}),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
  process.stdout.write(`${JSON.stringify({ url: server.url, ...(server.grpc ? { grpc: server.grpc } : {}), receipts: server.receipts() })}\n`);
}

function number(name: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= max)) throw new Error(`Expected ${name} to be a number from 0 to ${max}, but got ${JSON.stringify(text)}`);
  return value;
}
