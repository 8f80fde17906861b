// The model catalogue, in the form of OpenAI's list of models with what Weft knows besides.
import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { ModelCandidate, RoutingPeer } from '@weft/contracts';
import type { KnownRequest } from '../http/key.guard.js';
import { queryInteger, queryText } from '../http/query.js';
import { ROUTING } from '../ports.js';

@Controller('v1/models')
export class ModelsController {
  constructor(@Inject(ROUTING) private readonly routing: RoutingPeer) {}

  /** A page: `limit` (default 100) models behind the one named by `after`. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const limit = queryInteger(request, 'limit', { min: 1, max: 1_000, byDefault: 100 });
    const { models, hasMore, tableVersion } = await this.routing.listModels({ after: queryText(request, 'after'), limit }, request.context);
    return { object: 'list', data: models.map(modelView), has_more: hasMore, last_id: models.at(-1)?.id ?? null, tableVersion };
  }
}

/** Endpoints are shown by their host, keys not at all. */
function modelView({ id, endpoint, model, reason, simulated, terms }: ModelCandidate): object {
  const { dialect = 'openai', capabilities = [], contextTokens = 0, outputTokensMax = 0, dimensions = 0, tier = '', price, limits, digest = '' } = terms ?? {};
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: simulated ? 'weft-simulated' : URL.canParse(endpoint) ? new URL(endpoint).host : '',
    model,
    dialect,
    simulated,
    capabilities,
    ...known('contextTokens', contextTokens),
    ...known('outputTokensMax', outputTokensMax),
    ...known('dimensions', dimensions),
    ...(tier === '' ? {} : { tier }),
    ...(price && { pricePerMillionTokens: { input: price.input, output: price.output } }),
    ...(limits && { limits: { ...known('concurrency', limits.concurrency), ...known('requestsPerMinute', limits.requestsPerMinute), ...known('tokensPerMinute', limits.tokensPerMinute) } }),
    digest,
    use: reason,
  };
}

const known = (name: string, value: number): object => (value === 0 ? {} : { [name]: value });
