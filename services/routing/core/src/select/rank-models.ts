import type { ModelCandidate, RejectedOption } from '@weft/contracts';
import type { CatalogueModel, ModelChoice } from '../table/route-table.js';

/** Candidates in the order they are to be tried, and the rest of the catalogue with what spoke against it. */
export interface Ranking {
  readonly candidates: readonly ModelCandidate[];
  readonly rejected: readonly RejectedOption[];
}

const LACKS: { readonly [capability: string]: string } = { json: 'lacks json output', tools: 'lacks tool calls' };

/** Ranks the catalogue for a route: by its order of preference, else by price. */
export function rankModels(catalogue: readonly CatalogueModel[], choice: ModelChoice): Ranking {
  const candidates: { readonly model: CatalogueModel; readonly reason: string; readonly rank: number }[] = [];
  const rejected: RejectedOption[] = [];
  for (const model of catalogue) {
    const objection = objectionTo(model, choice);
    if (objection !== undefined) rejected.push({ kind: 'model', name: model.id, reason: objection });
    else candidates.push({ model, ...rankOf(model, choice) });
  }
  candidates.sort((a, b) => a.rank - b.rank);
  return { candidates: candidates.map(({ model, reason }) => candidateOf(model, reason)), rejected };
}

function objectionTo(model: CatalogueModel, { prefer, require, tiers }: ModelChoice): string | undefined {
  const objections = (require ?? []).filter((capability) => !model.capabilities.includes(capability)).map((capability) => LACKS[capability] ?? `lacks ${capability}`);
  if (tiers && (model.tier === undefined || !tiers.includes(model.tier))) {
    objections.push(`privacy tier: expected ${tiers.join(' or ')} but it ${model.tier === undefined ? 'has none' : `is ${model.tier}`}`);
  }
  if (prefer && !prefer.includes(model.id)) objections.push('not among the models that the route prefers');
  return objections.length > 0 ? objections.join('; ') : undefined;
}

function rankOf(model: CatalogueModel, { prefer }: ModelChoice): { reason: string; rank: number } {
  if (prefer) {
    const rank = prefer.indexOf(model.id);
    return { rank, reason: rank === 0 ? 'preferred by the route' : `fallback ${rank} of the route` };
  }
  const price = model.pricePerMillionTokens;
  // Most calls read more than they write; the sum orders models well enough without guessing a ratio.
  if (price) return { rank: price.input + price.output, reason: `qualifies at ${price.input} + ${price.output} per million tokens` };
  return { rank: Number.MAX_VALUE, reason: 'qualifies; its price is not known' };
}

const candidateOf = (model: CatalogueModel, reason: string): ModelCandidate => ({
  id: model.id,
  endpoint: model.endpoint,
  model: model.model,
  keySecret: model.keySecret ?? '',
  reason,
  simulated: model.simulated ?? false,
});
