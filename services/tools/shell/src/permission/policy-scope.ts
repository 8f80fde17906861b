// The scope of a policy, judged without the engine: which policies can be about a request at all.
import type { EntityUidJson, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** An entity of a request. */
export interface Entity {
  /** With its namespace: `Weft::Tool`. */
  readonly type: string;
  readonly id: string;
  /** Everything that it is in, at any distance. */
  readonly ancestors: readonly Pick<Entity, 'type' | 'id'>[];
}

export interface Asking {
  readonly principal: Entity;
  readonly action: Entity;
  readonly resource: Entity;
}

/** Whether the scope of a policy can match. Every form that is not known counts as matching. */
export function scopeOf(policy: PolicyJson): (asking: Asking) => boolean {
  const principal = matcherOf(policy.principal);
  const action = matcherOf(policy.action);
  const resource = matcherOf(policy.resource);
  return (asking) => principal(asking.principal) && action(asking.action) && resource(asking.resource);
}

type Constraint = { readonly op: string; readonly entity?: EntityUidJson; readonly entities?: readonly EntityUidJson[]; readonly entity_type?: string; readonly in?: unknown };

function matcherOf(given: unknown): (entity: Entity) => boolean {
  const constraint = given as Constraint;
  switch (constraint.op) {
    case '==':
      return constraint.entity === undefined ? () => true : isSame(constraint.entity);
    case 'in':
      return withinAny(constraint);
    case 'is': {
      const within = constraint.in === undefined ? () => true : withinAny(constraint.in as Constraint);
      return (entity) => entity.type === constraint.entity_type && within(entity);
    }
    default:
      return () => true;
  }
}

function withinAny({ entity, entities = entity === undefined ? [] : [entity] }: Pick<Constraint, 'entity' | 'entities'>): (entity: Entity) => boolean {
  if (entities.length === 0) return () => true;
  const same = entities.map(isSame);
  return (asked) => same.some((is) => is(asked) || asked.ancestors.some(is));
}

function isSame(uid: EntityUidJson): (entity: Pick<Entity, 'type' | 'id'>) => boolean {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  return (entity) => entity.type === type && entity.id === id;
}
