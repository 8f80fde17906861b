// The process of the sandbox: a line with a script comes in, a line with what came of it goes out. It ends with its input.
import { createInterface } from 'node:readline';
import { freshInterpreter, runScript } from './run-script.js';
import type { SandboxReply, SandboxRequest } from './sandbox-message.js';

// Made before it is needed, and used once: what a script may have done to it meets no other script.
let next = freshInterpreter();
await next;
process.stdout.write('{"kind":"ready"}\n');

for await (const line of createInterface({ input: process.stdin })) {
  const interpreter = await next;
  next = freshInterpreter();
  process.stdout.write(`${JSON.stringify(replyTo(JSON.parse(line) as SandboxRequest))}\n`);

  function replyTo(request: SandboxRequest): SandboxReply {
    try {
      return runScript(interpreter, request, () => performance.now());
    } catch (error) {
      // The interpreter itself gave up, as for want of memory.
      return /memory|RuntimeError|unreachable/i.test(String(error)) ? { kind: 'memory' } : { kind: 'threw', message: String(error).slice(0, 200), logs: [] };
    }
  }
}
