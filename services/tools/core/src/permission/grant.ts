// Grants: the short form of permits. Each becomes Cedar policies, so that one engine decides.
import { CALL_ACTIONS, RUN_ACTIONS, type CallAction, type RunAction } from './permission-request.js';

/** Job kinds that are granted as a whole; tools are granted by name. */
export type GrantedKind = CallAction | RunAction | 'infer';
export const GRANTED_KINDS = [...CALL_ACTIONS, ...RUN_ACTIONS, 'infer'] as const satisfies readonly GrantedKind[];

/** One entry of the grants file. In every text `*` stands for any text. */
export interface Grant {
  /** A tenant, or `*` for all. */
  readonly tenant: string;
  /** Workflows as `namespace/name`, of any version; `*` stands for any text without a slash. */
  readonly workflow: string;
  /** Names of tools. */
  readonly tools: readonly string[];
  readonly kinds: readonly GrantedKind[];
  /** Names of secrets that their documents may use; default none. */
  readonly secrets?: readonly string[];
  /** Agents inside these workflows that have the same right; default none: an agent needs a grant of its own besides its workflow's. */
  readonly agents?: readonly string[];
  /** On whose behalf: `key:ID`, `user:ID`, `service:NAME`; default anybody of the tenant. */
  readonly actors?: readonly string[];
}

/** A policy as the engine takes it. */
export interface PolicySource {
  readonly id: string;
  /** Cedar text of one policy. */
  readonly text: string;
  /** Where it is written, for people. */
  readonly place: string;
}

/** The policies of a grants file. `file` is its name for people. */
export function policiesOfGrants(grants: readonly Grant[], file: string): readonly PolicySource[] {
  return grants.flatMap((grant, index) => {
    const place = `entry ${index + 1} of ${file}`;
    const { secrets = [] } = grant;
    const rights: (readonly [action: string, text: string, condition: string | undefined])[] = [
      ...(grant.tools.length > 0 ? [['call', 'resource', anyOf('resource.name', grant.tools)] as const] : []),
      ...(secrets.length > 0 ? [['secret', 'resource', anyOf('resource.name', secrets)] as const] : []),
      ...grant.kinds.map((kind) => [kind, 'resource', undefined] as const),
    ];
    return rights.flatMap(([action, resource, onResource]) =>
      principalsOf(grant).map(({ who, scope, conditions }): PolicySource => {
        const all = [...conditions, ...(onResource === undefined ? [] : [onResource]), ...actorsOf(grant)];
        return {
          id: `grant-${index + 1}-${action}-${who}`,
          text: `permit(${scope}, action == Weft::Action::"${action}", ${resource})${all.length === 0 ? '' : `\nwhen { ${all.join(' && ')} }`};`,
          place,
        };
      }),
    );
  });
}

function principalsOf({ tenant, workflow, agents = [] }: Grant) {
  const [namespace = '', name = ''] = workflow.split('/');
  const within = tenant === '*' ? '' : ` in Weft::Tenant::${quoted(tenant)}`;
  const isOf = (nameAttribute: string): string[] => [...matching('principal.namespace', namespace), ...matching(`principal.${nameAttribute}`, name)];
  return [
    { who: 'workflow', scope: `principal is Weft::Workflow${within}`, conditions: isOf('name') },
    ...(agents.length === 0 ? [] : [{ who: 'agent', scope: `principal is Weft::Agent${within}`, conditions: [...isOf('workflow'), ...listed(anyOf('principal.name', agents))] }]),
  ];
}

function actorsOf({ actors = ['*'] }: Grant): string[] {
  return listed(anyOf('context.actor.name', actors));
}

const listed = (condition: string | undefined): string[] => (condition === undefined ? [] : [condition]);

/** One of the patterns; undefined when one of them is `*`, which everything matches. */
function anyOf(attribute: string, patterns: readonly string[]): string | undefined {
  if (patterns.includes('*')) return undefined;
  return `(${patterns.flatMap((pattern) => matching(attribute, pattern)).join(' || ')})`;
}

/** `*` stands for any text; nothing else has a meaning. */
function matching(attribute: string, pattern: string): string[] {
  if (pattern === '*') return [];
  if (!pattern.includes('*')) return [`${attribute} == ${quoted(pattern)}`];
  return [`${attribute} like ${quoted(pattern)}`];
}

/** A text as a Cedar literal. Every character beyond plain ASCII is written by its code point. */
export function quoted(text: string): string {
  const escaped = [...text].map((character) => (/[\w .,:;/@#+*()[\]{}<>=!?$%&|~^-]/.test(character) && character.charCodeAt(0) < 127 ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`));
  return `"${escaped.join('')}"`;
}
