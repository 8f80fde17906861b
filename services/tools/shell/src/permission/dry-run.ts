// What would be decided about a job, for people who ask beforehand.
import type { Authorization, PermissionsPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { Authorise } from '@weft/tools/core';

const KINDS: readonly string[] = ['tool', 'http', 'infer'];

/** Answers from the grants that jobs meet. Refusal: `request-invalid`. */
export function dryRun(authorise: Authorise): PermissionsPeer {
  return {
    authorize: async ({ workflow, kind, tool }, { tenant }) => {
      if (!KINDS.includes(kind)) refuse('request-invalid', `Expected a kind of ${KINDS.join(', ')} but got ${JSON.stringify(kind.slice(0, 60))}.`);
      const denial = authorise({ tenant, workflow, kind, tool: kind === 'tool' ? tool : '' });
      return answer(denial === undefined ? { decision: 'allow' } : { decision: 'deny', code: denial.code, message: denial.message, reasons: [denial.message] });
    },
  };
}

function answer(told: Partial<Authorization> & Pick<Authorization, 'decision'>): Authorization {
  return { code: '', message: '', reasons: [], needed: [], policies: [], approvalRequest: undefined, policyDigest: '', ...told };
}
