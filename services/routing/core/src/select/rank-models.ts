import type { ModelCandidate, ModelTerms, RejectedOption } from '@weft/contracts';
import type { CatalogueModel, HedgeChoice, ModelChoice, RouteTable } from '../table/route-table.js';

/** Candidates in the order they are to be tried, and the rest of the catalogue with what spoke against it. */
export interface Ranking {
  readonly candidates: readonly ModelCandidate[];
  readonly rejected: readonly RejectedOption[];
}

const LACKS: { readonly [capability: string]: string } = {
  json: 'lacks json output',
  tools: 'lacks tool calls',
  stream: 'does not stream',
  embeddings: 'lacks embeddings',
  vision: 'lacks vision',
  prefill: 'cannot go on with an answer',
};

/** Wait before the next candidate is asked too, while too few answers are known; milliseconds. */
const HEDGE_AFTER_MS = 1_000;

/** Digest of an entry of the catalogue; its candidates carry it, so that what they were chosen by can be named. */
export type DigestOf = (model: CatalogueModel) => string;

/** Ranks the catalogue for a route: by its order of preference, else by price. */
export function rankModels(catalogue: readonly CatalogueModel[], choice: ModelChoice, digestOf: DigestOf = () => ''): Ranking {
  const candidates: { readonly model: CatalogueModel; readonly reason: string; readonly rank: number }[] = [];
  const rejected: RejectedOption[] = [];
  for (const model of catalogue) {
    const objection = objectionTo(model, choice);
    if (objection !== undefined) rejected.push({ kind: 'model', name: model.id, reason: objection });
    else candidates.push({ model, ...rankOf(model, choice) });
  }
  candidates.sort((a, b) => a.rank - b.rank);
  return { candidates: candidates.map(({ model, reason }) => candidateOf(model, reason, digestOf(model), choice.hedge)), rejected };
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

/** A model of the catalogue as a candidate. */
export function candidateOf(model: CatalogueModel, reason: string, digest: string, hedge?: HedgeChoice): ModelCandidate {
  const { id, endpoint, keySecret = '', simulated = false } = model;
  return {
    id,
    endpoint,
    model: model.model,
    keySecret,
    reason,
    simulated,
    terms: termsOf(model, digest),
    ...(hedge && { hedge: { percentile: hedge.percentile ?? 0, afterMs: hedge.afterMs ?? HEDGE_AFTER_MS } }),
  };
}

/** What the catalogue says of a model, as it travels. */
export function termsOf(model: CatalogueModel, digest: string): ModelTerms {
  const { dialect = 'openai', capabilities, contextTokens = 0, outputTokensMax = 0, dimensions = 0, tier = '', pricePerMillionTokens: price, limits } = model;
  return {
    digest,
    dialect,
    capabilities: [...capabilities],
    contextTokens,
    outputTokensMax,
    tier,
    dimensions,
    ...(price && { price: { input: price.input, output: price.output } }),
    ...(limits && { limits: { concurrency: limits.concurrency ?? 0, requestsPerMinute: limits.requestsPerMinute ?? 0, tokensPerMinute: limits.tokensPerMinute ?? 0 } }),
  };
}

/** Which routes may use a model, in a sentence. */
export function usersOf(table: RouteTable, model: CatalogueModel): string {
  const names = table.routes.filter(({ models }) => models && objectionTo(model, models) === undefined).map(({ name }) => name);
  return names.length === 0 ? 'no route uses it' : `used by ${names.join(', ')}`;
}
