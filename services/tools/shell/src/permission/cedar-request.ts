// A permission request in the words of the engine: entities and context.
import type { Context, EntityJson, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs';
import { instantText, workflowName, type ArgumentFacts, type Exposure, type PermissionRequest, type Target } from '@weft/tools/core';
import type { Asking, Entity } from './policy-scope.js';

const EMPTY: ArgumentFacts = { text: new Map(), number: new Map(), flag: new Map(), list: new Map(), names: new Set() };

/** The principals of a request: its workflow, and its agent where there is one. Each needs a permit. */
export function principalsOf({ by }: PermissionRequest): readonly ('workflow' | 'agent')[] {
  return by.agent === '' ? ['workflow'] : ['workflow', 'agent'];
}

/** Who asks for what, as scopes see it. */
export function askingOf(request: PermissionRequest, who: 'workflow' | 'agent'): Asking {
  const { by, on } = request;
  const tenant = { type: 'Weft::Tenant', id: by.tenant };
  const workflow = { type: 'Weft::Workflow', id: `${by.tenant}/${workflowName(by.workflow)}` };
  const principal: Entity = who === 'workflow' ? { ...workflow, ancestors: [tenant] } : { type: 'Weft::Agent', id: `${workflow.id}/${by.agent}`, ancestors: [workflow, tenant] };
  return { principal, action: { type: 'Weft::Action', id: on.action, ancestors: [] }, resource: resourceOf(on) };
}

function resourceOf(on: Target): Entity {
  switch (on.action) {
    case 'call':
      return { type: 'Weft::Tool', id: on.name, ancestors: [{ type: 'Weft::Source', id: on.source }] };
    case 'infer':
      return { type: 'Weft::Model', id: on.id, ancestors: [] };
    case 'secret':
      return { type: 'Weft::Secret', id: on.name, ancestors: [] };
    case 'script':
    case 'shell':
    case 'container':
      return { type: 'Weft::Program', id: on.program, ancestors: [] };
    default:
      return { type: 'Weft::Endpoint', id: originOf(on.url), ancestors: [] };
  }
}

/** What an endpoint is called in policies: its origin; a process instead of a place, by all of its address. Empty: it is none. */
export function originOf(url: string): string {
  if (!URL.canParse(url)) return '';
  const { origin, protocol, host } = new URL(url);
  // Only the schemes of the web have an origin of their own.
  return origin !== 'null' ? origin : host === '' ? url : `${protocol}//${host}`;
}

/** The values of the context that policies may read. */
export interface Circumstance {
  readonly exposure: Exposure;
  /** Undefined: no policy reads arguments. */
  readonly facts: ArgumentFacts | undefined;
}

/** The call of the engine. `policies`: the name of a preparsed set. */
export function callOf(request: PermissionRequest, asking: Asking, { exposure, facts = EMPTY }: Circumstance, policies: string): StatefulAuthorizationCall {
  const { by, on, circumstances } = request;
  const [namespace = '', name = ''] = workflowName(by.workflow).split('/');
  const version = by.workflow.slice(workflowName(by.workflow).length + 1);
  const origin = { tenant: by.tenant, namespace, version };
  const user = { type: 'Weft::User', id: `${by.tenant}/${by.actor}` };
  const tenant = { type: 'Weft::Tenant', id: by.tenant };
  const workflow = { type: 'Weft::Workflow', id: `${by.tenant}/${workflowName(by.workflow)}` };
  const entities: EntityJson[] = [
    { uid: tenant, attrs: {}, parents: [] },
    { uid: user, attrs: { name: by.actor }, parents: [tenant] },
    { uid: workflow, attrs: { ...origin, name }, parents: [tenant] },
    ...(asking.principal.type === 'Weft::Agent' ? [{ uid: uidOf(asking.principal), attrs: { ...origin, workflow: name, name: by.agent }, parents: [workflow] }] : []),
    { uid: uidOf(asking.resource), attrs: attributesOf(on), parents: asking.resource.ancestors.map(uidOf) },
    tagged('Texts', facts.text),
    tagged('Numbers', facts.number),
    tagged('Flags', facts.flag),
    tagged('Lists', facts.list as ReadonlyMap<string, string[]>),
  ];
  const left = circumstances.budget;
  const context: Context = {
    actor: { __entity: user },
    purpose: circumstances.purpose,
    taint: [...circumstances.taint],
    untrusted: exposure.untrusted.length > 0,
    private: exposure.private.length > 0,
    time: { __extn: { fn: 'datetime', arg: timeText(circumstances.now) } },
    ...(left === undefined ? {} : { moneyLeft: whole(left.moneyMicros), tokensLeft: whole(left.tokens), callsLeft: whole(left.calls) }),
    arguments: { text: reference('Texts'), number: reference('Numbers'), flag: reference('Flags'), list: reference('Lists'), names: [...facts.names] },
  };
  return {
    principal: uidOf(asking.principal),
    action: uidOf(asking.action),
    resource: uidOf(asking.resource),
    context,
    entities,
    preparsedPolicySetId: policies,
    // Requests are made here and fit the schema; checking each again would double the time.
    validateRequest: false,
  };
}

/** Time in whole seconds, which is as exact as policies get it. */
export const timeText = (now: number): string => `${instantText(Math.floor(now / 1000) * 1000).slice(0, 19)}Z`;

const whole = (amount: number): number => Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, Math.floor(amount)));
const uidOf = ({ type, id }: Pick<Entity, 'type' | 'id'>): { type: string; id: string } => ({ type, id });
const reference = (type: string) => ({ __entity: { type: `Weft::${type}`, id: 'arguments' } });

function tagged(type: string, values: ReadonlyMap<string, string | number | boolean | string[]>): EntityJson {
  return { uid: { type: `Weft::${type}`, id: 'arguments' }, attrs: {}, parents: [], tags: Object.fromEntries(values) };
}

function attributesOf(on: Target): EntityJson['attrs'] {
  switch (on.action) {
    case 'call':
      return { name: on.name, effect: on.effect, data: on.data, pin: on.pin };
    case 'infer':
      return { model: on.model, host: URL.canParse(on.endpoint) ? new URL(on.endpoint).host : '' };
    case 'secret':
      return { name: on.name };
    case 'script':
    case 'shell':
    case 'container':
      return { name: on.program, effect: on.effect };
    default: {
      const url = URL.canParse(on.url) ? new URL(on.url) : undefined;
      return { scheme: url?.protocol.slice(0, -1) ?? '', host: url?.host ?? '', method: on.method, effect: on.effect };
    }
  }
}
