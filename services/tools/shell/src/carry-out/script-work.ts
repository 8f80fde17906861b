// Script jobs made ready: what runs in the sandbox, and what its output means.
import type { Job } from '@weft/contracts';
import { rejection, type Json } from '@weft/kernel';
import type { ScriptTool } from '@weft/tools/core';
import type { SchemaCheck } from '../registry/schemas.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { WorkMaking } from './work.js';

/** A declared script with its output schema compiled. */
export interface ScriptEntry {
  readonly definition: ScriptTool;
  readonly outputProblem: SchemaCheck | undefined;
}

/** A job of a declared script, its arguments checked before. It fails with what the sandbox says, or with `output-invalid`. */
export function scriptWork(sandbox: Sandbox, job: Job, { definition, outputProblem }: ScriptEntry, args: Json): WorkMaking {
  const { name, script, effect } = definition;
  return {
    ok: true,
    work: {
      job,
      name,
      effect,
      timeoutMs: definition.timeoutMs,
      request: { script: name },
      attributes: {},
      taint: [`tool:${name}`],
      send: async ({ untilMs, signal }) => {
        const timeoutMs = Math.min(definition.timeoutMs, Math.floor(untilMs - performance.now()));
        if (timeoutMs <= 0) return { outcome: { kind: 'failed', failure: rejection('timeout', 'Expected to run the script before its deadline but it has passed.') } };
        const result = await sandbox.run({
          tenant: job.context?.tenant ?? '',
          source: script.source,
          input: args,
          timeoutMs,
          memoryBytes: script.memoryBytes,
          ...(signal === undefined ? {} : { signal }),
        });
        const evidence = result.logs.length === 0 ? {} : { evidence: { logs: result.logs } };
        if (!result.ok) return { outcome: { kind: 'failed', failure: result.failure }, ...evidence };
        const problem = outputProblem?.(result.output);
        const unusable = problem === undefined ? {} : { unusable: rejection('output-invalid', `Expected an output of the script that can be used but ${problem}, as its output schema wants.`) };
        return { outcome: { kind: 'confirmed' }, answer: { output: result.output, ...unusable }, ...evidence };
      },
    },
  };
}
