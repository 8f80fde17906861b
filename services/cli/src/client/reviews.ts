// Reviews over the public HTTP interface.
import type { GatewayClient } from './gateway-client.js';
import type { ReviewDetailShape, ReviewShape } from './shapes.js';

/** Which reviews; what is left out says nothing. */
export interface ReviewFilter {
  readonly status?: string | undefined;
  readonly kind?: string | undefined;
  readonly workflow?: string | undefined;
  readonly execution?: string | undefined;
  readonly mine?: boolean | undefined;
  readonly role?: string | undefined;
  readonly dueBefore?: string | undefined;
  readonly cursor?: string | undefined;
}

export interface ReviewPage {
  readonly reviews: readonly ReviewShape[];
  /** '' when there are no more. */
  readonly nextCursor: string;
}

/** A page of reviews of the tenant, the oldest first; open ones unless a status is named. */
export async function reviewPage(client: GatewayClient, limit: number, filter: ReviewFilter = {}): Promise<ReviewPage> {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined && value !== false) query.set(name, String(value));
  return (await client.call<ReviewPage>(`/v1/reviews?${query}`)).body;
}

/** Open reviews of the tenant, the oldest first. */
export const openReviews = async (client: GatewayClient, limit = 50): Promise<readonly ReviewShape[]> => (await reviewPage(client, limit)).reviews;

const pathOf = (id: string): string => `/v1/reviews/${encodeURIComponent(id)}`;

export const readReview = async (client: GatewayClient, id: string): Promise<ReviewDetailShape> => (await client.call<ReviewDetailShape>(pathOf(id))).body;

/** Claims, releases, delegates or comments on a review. */
export const changeReview = (client: GatewayClient, id: string, change: 'claim' | 'release' | 'delegate' | 'comment', wish: object): Promise<ReviewShape> =>
  post(client, `${pathOf(id)}/${change}`, wish);

export interface ReviewDecision {
  readonly outcome: string;
  readonly comment?: string | undefined;
  readonly form?: unknown;
}

export const decideReview = (client: GatewayClient, id: string, decision: ReviewDecision): Promise<ReviewShape> => post(client, `${pathOf(id)}/decide`, decision);

async function post(client: GatewayClient, path: string, body: object): Promise<ReviewShape> {
  return (await client.call<ReviewShape>(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).body;
}
