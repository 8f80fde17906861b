// Kill switches: what nobody may do any more, whatever policies say, until it is revived.
import { rejection, type Rejection } from '@weft/kernel';
import { workflowName } from './permission-request.js';

export const SWITCH_KINDS = ['agent', 'workflow', 'tool', 'tenant', 'everything'] as const;
export type SwitchKind = (typeof SWITCH_KINDS)[number];

/** One switch that is off. */
export interface KillSwitch {
  readonly kind: SwitchKind;
  /** Tenant whose things are meant, `*` for those of all. */
  readonly tenant: string;
  /** Name of the agent, workflow (`namespace/name`) or tool; empty for a tenant and for everything. */
  readonly name: string;
  readonly reason: string;
  readonly by: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** What a switch could stop. */
export interface Stoppable {
  readonly tenant: string;
  readonly workflow: string;
  readonly agent: string;
  /** Tool, `call:http`, or id of the model. */
  readonly target: string;
}

/** All switches that are off, ready to be asked many times a second. */
export class KillSwitches {
  readonly #off: ReadonlyMap<string, KillSwitch>;

  constructor(off: readonly KillSwitch[]) {
    this.#off = new Map(off.map((each) => [keyOf(each.kind, each.tenant, each.name), each]));
  }

  get size(): number {
    return this.#off.size;
  }

  /** The switch that stops this; undefined when none does. */
  stopping({ tenant, workflow, agent, target }: Stoppable): KillSwitch | undefined {
    if (this.#off.size === 0) return undefined;
    const find = (kind: SwitchKind, name: string): KillSwitch | undefined => this.#off.get(keyOf(kind, tenant, name)) ?? this.#off.get(keyOf(kind, '*', name));
    return find('everything', '') ?? find('tenant', '') ?? find('tool', target) ?? find('workflow', workflowName(workflow)) ?? (agent === '' ? undefined : find('agent', agent));
  }
}

const keyOf = (kind: SwitchKind, tenant: string, name: string): string => `${kind}\n${tenant}\n${name}`;

/** The refusal of whoever meets a switch: code `denied`. */
export function killed({ kind, tenant, name, reason, by, at }: KillSwitch): Rejection {
  const what = kind === 'everything' ? 'everything' : kind === 'tenant' ? `tenant ${JSON.stringify(tenant)}` : `${kind} ${JSON.stringify(name)}`;
  return rejection('denied', `Expected ${what} to be alive but ${by} stopped it at ${instantText(at)}: ${reason} To go on, an operator revives it with ./weft revive.`, {
    details: { killed: { kind, tenant, name, by, reason } },
  });
}

/** An instant as text, without a clock. Source: RFC 3339. */
export const instantText = (at: number): string => new Date(at).toISOString();
