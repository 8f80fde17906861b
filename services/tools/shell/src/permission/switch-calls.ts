// Kill switches as people throw them.
import type { Pool } from '@weft/adapter-postgres';
import type { PermissionsPeer, SwitchState } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import { SWITCH_KINDS, type KillSwitch, type SwitchKind } from '@weft/tools/core';
import type { SwitchBoard } from './switch-board.js';
import { changeSwitch, readSwitches } from './switch.store.js';

const NAME_CHARACTERS_MAX = 512;
const REASON_CHARACTERS_MAX = 1_000;
const PAGE_DEFAULT = 50;

/** The calls about switches. Refusals: `request-invalid`. This process knows of a change when the call returns, others within half a second. */
export function switchCalls(pool: Pool, board: SwitchBoard): Pick<PermissionsPeer, 'listSwitches' | 'changeSwitch'> {
  return {
    listSwitches: async ({ tenant, limit, cursor }) => {
      const all = (await readSwitches(pool)).filter((each) => tenant === '*' || each.tenant === '*' || each.tenant === tenant);
      const from = cursor === '' ? 0 : all.findIndex((each) => keyOf(each) === cursor) + 1;
      if (cursor !== '' && from === 0) refuse('request-invalid', 'Expected the cursor of a page of switches but it is none, or its switch is on again: begin anew.');
      const page = all.slice(from, from + (limit || PAGE_DEFAULT));
      const last = page.at(-1);
      return { switches: page.map((each) => stateOf(each, true)), nextCursor: last && all.length > from + page.length ? keyOf(last) : '' };
    },
    changeSwitch: async ({ kind: kindText, tenant, name, off, reason }, { actor }) => {
      const kind = SWITCH_KINDS.find((known) => known === kindText);
      if (kind === undefined) return refuse('request-invalid', `Expected a kind of ${SWITCH_KINDS.join(', ')} but got ${JSON.stringify(kindText.slice(0, 60))}.`);
      checkName(kind, tenant, name);
      if (off && reason === '') refuse('request-invalid', 'Expected a reason: whoever is stopped is told it.');
      if (reason.length > REASON_CHARACTERS_MAX) refuse('request-invalid', `Expected a reason of at most ${REASON_CHARACTERS_MAX} characters but it has ${reason.length}.`);
      await changeSwitch(pool, { kind, tenant, name, isOff: off, reason, by: actor });
      await board.refresh();
      const now = (await readSwitches(pool)).find((each) => keyOf(each) === keyOf({ kind, tenant, name }));
      return now ? stateOf(now, true) : stateOf({ kind, tenant, name, reason, by: actor, at: Date.now() }, false);
    },
  };
}

function checkName(kind: SwitchKind, tenant: string, name: string): void {
  if (tenant === '') refuse('request-invalid', 'Expected a tenant, or * for all, but there is none.');
  if (name.length > NAME_CHARACTERS_MAX || /[\u0000-\u001f\u007f]/.test(name)) refuse('request-invalid', `Expected a name of at most ${NAME_CHARACTERS_MAX} characters.`);
  if ((kind === 'tenant' || kind === 'everything') !== (name === ''))
    refuse('request-invalid', kind === 'tenant' || kind === 'everything' ? `Expected no name: a switch on ${kind} has none.` : `Expected the name of the ${kind} but it is empty.`);
  if (kind === 'tenant' && tenant === '*') refuse('request-invalid', 'Expected one tenant; everything of all tenants is kind everything.');
  if (kind === 'workflow' && !/^[^/:]+\/[^/:]+$/.test(name))
    refuse('request-invalid', `Expected the name of a workflow as namespace/name, without its version, but got ${JSON.stringify(name.slice(0, 60))}.`);
}

const keyOf = ({ tenant, kind, name }: Pick<KillSwitch, 'tenant' | 'kind' | 'name'>): string => JSON.stringify([tenant, kind, name]);

const stateOf = ({ kind, tenant, name, reason, by, at }: KillSwitch, off: boolean): SwitchState => ({ kind, tenant, name, off, reason, changedBy: by, changedAtMs: at });
