// The Tools service: what people ask about tools and effects, and what they decide about tools.
import type { ToolsPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { PinBook } from '../pin/pin-book.js';
import type { EffectQueries } from './effect-queries.js';
import type { ToolQueries } from './tool-queries.js';

export interface ToolsPeerPorts {
  readonly tools: ToolQueries;
  readonly effects: EffectQueries;
  readonly pins: PinBook;
  readonly resolveResources: ToolsPeer['resolveResources'];
  /** Tenants whose callers may decide for the whole deployment. */
  readonly operators: readonly string[];
}

const REASON_CHARACTERS_MAX = 2_000;

/** Refusals: `request-invalid`, `unknown-tool`, `tool-changed`, `unknown-effect`, `denied` for decisions of who is no operator. */
export function toolsPeer({ tools, effects, pins, resolveResources, operators }: ToolsPeerPorts): ToolsPeer {
  // Addresses and command lines of sources, and what went wrong with them, are the operators' business.
  const isOperator = (tenant: string): boolean => operators.includes(tenant);
  return {
    listTools: async (request, { tenant }) => {
      const page = tools.list(request);
      return isOperator(tenant) ? page : { ...page, problems: [] };
    },
    showTool: async ({ name }, { tenant }) => tools.show(name, isOperator(tenant)),
    decideTool: async ({ name, digest, outcome, reason }, { tenant, actor }) => {
      if (!isOperator(tenant))
        refuse(
          'denied',
          `Expected a decision about tools, which holds for the whole deployment, from a tenant of its operators but it comes from ${JSON.stringify(tenant)}: list it in WEFT_OPERATORS.`,
        );
      if (outcome !== 'accept' && outcome !== 'reject') refuse('request-invalid', `Expected an outcome of accept or reject but got ${JSON.stringify(outcome.slice(0, 60))}.`);
      if (!/^[0-9a-f]{64}$/.test(digest)) refuse('request-invalid', 'Expected the digest of the definition that was looked at: 64 hexadecimal digits.');
      if (reason.length > REASON_CHARACTERS_MAX) refuse('request-invalid', `Expected a reason of at most ${REASON_CHARACTERS_MAX} characters but it has ${reason.length}.`);
      if (tools.show(name, true).tool?.state === 'declared') refuse('request-invalid', `Expected a tool of a source but ${name} is declared in the tools file: who writes it there accepts it.`);
      await pins.ask(name, { type: outcome === 'accept' ? 'AcceptTool' : 'RejectTool', digest, by: actor, reason });
      return tools.show(name, true);
    },
    listEffects: (request, { tenant }) => effects.list(tenant, request),
    showEffect: ({ key }, { tenant }) => effects.show(tenant, key),
    resolveResources,
  };
}
