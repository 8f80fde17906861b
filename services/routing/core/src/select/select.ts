// Who should do this? The first rule that matches decides; everything that was not chosen says why.
import type { ModelCandidate, RejectedOption } from '@weft/contracts';
import { rejection, type Rejection } from '@weft/kernel';
import type { Route, RouteTable } from '../table/route-table.js';
import { matchCondition, type RequestFacts } from './match-condition.js';
import { rankModels, type DigestOf } from './rank-models.js';

/** What was chosen for a request, why, and what was not. */
export interface Choice {
  /** Name of the route that matched. */
  readonly rule: string;
  /** Version '' means the latest. */
  readonly workflow: { readonly namespace: string; readonly name: string; readonly version: string };
  readonly reasons: readonly string[];
  readonly rejected: readonly RejectedOption[];
  /** In the order they are to be tried. */
  readonly models: readonly ModelCandidate[];
}

export type Selected = { readonly ok: true; readonly choice: Choice } | { readonly ok: false; readonly rejection: Rejection };

// Enough to see a typing error by; a table may have hundreds.
const NAMES_SHOWN_MAX = 12;

/** Chooses workflow and models for a request. Rejections: `no-route`, `no-model`. */
export function select(table: RouteTable, request: RequestFacts, digestOf?: DigestOf): Selected {
  const rejected: RejectedOption[] = [];
  let isTypeKnown = false;
  let chosen: { readonly route: Route; readonly reasons: readonly string[] } | undefined;
  for (const route of table.routes) {
    const match = matchCondition(route.when, request);
    isTypeKnown ||= match.ok || match.at !== 'type';
    if (match.ok && !chosen) chosen = { route, reasons: match.reasons };
    else rejected.push({ kind: 'workflow', name: workflowName(route), reason: `route ${route.name}: ${match.ok ? `matches too, but ${chosen!.route.name} comes first` : match.mismatch}` });
  }
  if (!chosen) return { ok: false, rejection: noRoute(table, request, isTypeKnown, rejected) };
  const { route } = chosen;
  const ranking = route.models ? rankModels(table.models, route.models, digestOf) : { candidates: [], rejected: [] };
  if (route.models && ranking.candidates.length === 0) return { ok: false, rejection: noModel(route, ranking.rejected) };
  return {
    ok: true,
    choice: {
      rule: route.name,
      workflow: { namespace: route.workflow.namespace, name: route.workflow.name, version: route.workflow.version ?? '' },
      reasons: [`route ${route.name} is the first that matches`, ...chosen.reasons],
      rejected: [...rejected, ...ranking.rejected],
      models: ranking.candidates,
    },
  };
}

const workflowName = ({ workflow }: Route): string => `${workflow.namespace}/${workflow.name}${workflow.version === undefined ? '' : `:${workflow.version}`}`;

function noRoute(table: RouteTable, request: RequestFacts, isTypeKnown: boolean, rejected: readonly RejectedOption[]): Rejection {
  const names = table.routes.map(({ name, when }) => `${name}: ${when.type}`);
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ') + (names.length > NAMES_SHOWN_MAX ? `, and ${names.length - NAMES_SHOWN_MAX} more` : '');
  const what = isTypeKnown ? 'a request that a route matches' : 'an event type that a route matches';
  return rejection('no-route', `Expected ${what} (${shown || 'the route table is empty'}) but got ${JSON.stringify(request.type)} from ${JSON.stringify(request.source)}.`, {
    details: { rejected: rejected.slice(0, NAMES_SHOWN_MAX).map((option) => ({ ...option })) },
  });
}

function noModel(route: Route, rejected: readonly RejectedOption[]): Rejection {
  const shown = rejected.slice(0, NAMES_SHOWN_MAX).map(({ name, reason }) => `${name} ${reason}`);
  return rejection('no-model', `Expected a model that route ${route.name} may use but none qualifies: ${shown.join(', ') || 'the catalogue is empty'}.`, {
    details: { rejected: rejected.slice(0, NAMES_SHOWN_MAX).map((option) => ({ ...option })) },
  });
}
