// A tool of the same source that tells whether an effect happened.
import type { Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { compileExpression, compileTemplate, type Reconciliation, type SourceHook } from '@weft/tools/core';
import type { Sent } from '../carry-out/work.js';

export interface PreparedHook {
  readonly declared: SourceHook;
  /** Asks by way of `call`, which gives undefined when the tool cannot be asked. */
  ask(job: Job, args: Json, call: (args: Json) => Promise<Sent | undefined>): Promise<Reconciliation>;
}

/** Compiles a hook. @throws Error naming the field that is wrong. */
export function prepareHook(declared: SourceHook): PreparedHook {
  const compiled = <R extends { readonly ok: boolean }>(field: string, result: R): Extract<R, { ok: true }> => {
    if (!result.ok) throw new Error(`reconcile.${field}: ${(result as unknown as { problem: string }).problem}`);
    return result as Extract<R, { ok: true }>;
  };
  const { template: argumentsOf } = compiled('arguments', compileTemplate(declared.arguments));
  const { template: happened } = compiled('happened', compileExpression(declared.happened));
  const { template: output } = compiled('output', compileExpression(declared.output ?? '.'));
  return {
    declared,
    ask: async (job, args, call) => {
      const asked = argumentsOf({ key: job.idempotencyKey, arguments: args });
      if (!asked.ok) return { happened: 'unclear', reason: asked.failure.message };
      const sent = await call(asked.value);
      const answer = sent?.outcome.kind === 'confirmed' ? sent.answer : undefined;
      if (!answer || answer.unusable) return { happened: 'unclear', reason: 'the tool that tells could not be asked' };
      const told = happened(answer.output);
      if (!told.ok || typeof told.value !== 'boolean') return { happened: 'unclear', reason: 'its answer is neither true nor false' };
      if (!told.value) return { happened: false };
      const result = output(answer.output);
      return { happened: true, output: result.ok ? result.value : null };
    },
  };
}
