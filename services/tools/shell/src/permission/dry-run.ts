// What would be decided about a job, for people who ask beforehand. Nothing is done, taken or recorded.
import type { Authorization, PermissionsPeer } from '@weft/contracts';
import { refuse, type Instant, type Json } from '@weft/kernel';
import { GRANTED_KINDS, type PermissionRequest, type Target } from '@weft/tools/core';
import type { Registry } from '../registry/registry.js';
import type { Permissions, Permitted } from './permissions.js';

/** What can be asked about. */
const KINDS: readonly string[] = ['tool', 'secret', ...GRANTED_KINDS];

/** Answers from the very policies that jobs meet. @param now time of the store. Refusal: `request-invalid`. */
export function dryRun(permissions: Permissions, registry: Pick<Registry, 'find'>, now: () => Instant): Pick<PermissionsPeer, 'authorize'> {
  return {
    authorize: async ({ workflow, agent, kind, tool, argumentsJson, taint, purpose, actor, budget, attenuation }, context) => {
      await permissions.fresh();
      const args = argumentsJson === '' ? {} : jsonOf(argumentsJson);
      const request: PermissionRequest = {
        by: { tenant: context.tenant, actor: actor === '' ? context.actor : actor, workflow, agent },
        on: targetOf(kind, tool, args, registry),
        arguments: args,
        circumstances: { taint, purpose, budget, now: now(), pointer: '' },
      };
      return answerOf(permissions.permit({ request, attenuation, approvals: [] }), permissions.policyDigest);
    },
  };
}

function targetOf(kind: string, tool: string, args: Json, registry: Pick<Registry, 'find'>): Target {
  switch (kind) {
    case 'tool': {
      if (tool === '') refuse('request-invalid', 'Expected the name of a tool but it is empty.');
      const found = registry.find(tool);
      if (!found || found.kind === 'closed') return { action: 'call', name: tool, pin: '', effect: 'non-idempotent-write', data: 'public', source: '' };
      const { name, pin, effect, data, source } = found;
      return { action: 'call', name, pin, effect, data, source };
    }
    case 'http':
    case 'openapi':
    case 'grpc':
    case 'asyncapi':
    case 'mcp':
    case 'a2a': {
      const { method = 'GET', endpoint = '' } = (typeof args === 'object' && args !== null && !Array.isArray(args) ? args : {}) as { readonly method?: Json; readonly endpoint?: Json };
      const verb = String(method).toUpperCase();
      return { action: kind, url: String(endpoint), method: verb, effect: verb === 'GET' || verb === 'HEAD' ? 'read' : 'non-idempotent-write' };
    }
    case 'script':
    case 'shell':
    case 'container':
      return { action: kind, program: tool, effect: 'non-idempotent-write' };
    case 'secret':
      return { action: 'secret', name: tool };
    case 'infer':
      return { action: 'infer', id: tool, model: '', endpoint: '' };
    default:
      return refuse('request-invalid', `Expected a kind of ${KINDS.join(', ')} but got ${JSON.stringify(kind.slice(0, 60))}.`);
  }
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return refuse('request-invalid', 'Expected arguments as JSON but they are none.');
  }
}

function answerOf(permitted: Permitted, policyDigest: string): Authorization {
  const { kind, policies } = permitted;
  const failure = kind === 'deny' || kind === 'ask' ? permitted.failure : undefined;
  return {
    decision: kind === 'approved' ? 'allow' : kind,
    code: failure?.code ?? '',
    message: failure?.message ?? '',
    reasons: kind === 'ask' ? permitted.approvalRequest.reasons : failure ? [failure.message] : [],
    needed: kind === 'deny' ? [...permitted.needed] : kind === 'ask' ? ['A person who approves exactly this action.'] : [],
    policies: policies.map(({ id, effect, place }) => ({ id, effect, place })),
    approvalRequest: kind === 'ask' ? permitted.approvalRequest : undefined,
    policyDigest,
  };
}
