import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ChangeReviewRequest, DecideRequest, ListReviewsRequest, type OrchestrationPeer } from '@weft/contracts';
import { refuse, type JsonObject } from '@weft/kernel';
import { failpoint } from '@weft/pipeline';
import { reviewDetailView, reviewView } from '../answer/views.js';
import { bodyBytes, bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf, queryInstant, queryText } from '../http/query.js';
import { ORCHESTRATION } from '../ports.js';

/** Questions to people. Who may decide what, orchestration says; who somebody is and which roles they have, the key says. */
@Controller('v1/reviews')
export class ReviewsController {
  constructor(@Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer) {}

  /** Reviews of the tenant, the oldest first: `status` (default open), `kind`, `workflow`, `execution`, `mine`, `role`, `dueBefore`. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const mine = queryText(request, 'mine');
    if (!['', 'true', 'false'].includes(mine)) refuse('request-invalid', `Expected query parameter \`mine\` to be true or false but got ${JSON.stringify(mine)}.`);
    const asked = ListReviewsRequest.fromPartial({
      ...pageOf(request),
      status: queryText(request, 'status'),
      kind: queryText(request, 'kind'),
      workflow: queryText(request, 'workflow'),
      executionId: queryText(request, 'execution'),
      mine: mine === 'true',
      role: queryText(request, 'role'),
      dueBeforeMs: queryInstant(request, 'dueBefore'),
      roles: [...request.caller.roles],
    });
    const { reviews, nextCursor } = await this.orchestration.listReviews(asked, request.context);
    return { reviews: reviews.map(reviewView), nextCursor };
  }

  /** One review with what has happened to it. */
  @Get(':id')
  async get(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    return reviewDetailView(await this.orchestration.getReview({ reviewId: checkedId(id) }, request.context));
  }

  /** Takes a review in hand: {leaseSeconds?}. Again by the same person, it holds for longer. */
  @Post(':id/claim')
  @HttpCode(200)
  async claim(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    return this.#change(id, request, 'claim', ['leaseSeconds']);
  }

  /** Gives it back. */
  @Post(':id/release')
  @HttpCode(200)
  async release(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    return this.#change(id, request, 'release', []);
  }

  /** Hands it over: {to: "user:NAME" | "key:ID" | "role:NAME", text?, leaseSeconds?}. */
  @Post(':id/delegate')
  @HttpCode(200)
  async delegate(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    return this.#change(id, request, 'delegate', ['to', 'text', 'leaseSeconds']);
  }

  /** Says something about it: {text}. */
  @Post(':id/comment')
  @HttpCode(200)
  async comment(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    return this.#change(id, request, 'comment', ['text']);
  }

  /** Decides a review: {outcome, comment?, form?}. Which outcomes a review takes, orchestration says. */
  @Post(':id/decide')
  @HttpCode(200)
  async decide(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    checkedId(id);
    const body = bodyObject(request, 'a decision');
    onlyFields(body, ['outcome', 'comment', 'form'], 'a decision');
    checkStorable(body, 'a decision');
    const form = body['form'];
    const decision = DecideRequest.fromPartial({
      reviewId: id,
      outcome: textField(body, 'outcome'),
      comment: textField(body, 'comment', ''),
      formJson: form === undefined ? '' : JSON.stringify(form),
      roles: [...request.caller.roles],
    });
    failpoint('gateway.decide-review', 'before');
    const review = await this.orchestration.decide(decision, request.context);
    failpoint('gateway.decide-review', 'after');
    return reviewView(review);
  }

  async #change(id: string, request: KnownRequest, change: string, fields: readonly string[]): Promise<object> {
    checkedId(id);
    const what = `a ${change}`;
    const body: JsonObject = bodyBytes(request).length === 0 ? {} : bodyObject(request, what);
    onlyFields(body, fields, what);
    checkStorable(body, what);
    const asked = { reviewId: id, change, leaseMs: leaseMsOf(body), to: textField(body, 'to', ''), text: textField(body, 'text', ''), roles: [...request.caller.roles] };
    return reviewView(await this.orchestration.changeReview(ChangeReviewRequest.fromPartial(asked), request.context));
  }
}

function leaseMsOf(body: JsonObject): number {
  const seconds = body['leaseSeconds'];
  if (seconds === undefined) return 0;
  if (typeof seconds !== 'number' || !(seconds > 0)) refuse('request-invalid', 'Expected field `leaseSeconds` to be a number of seconds above 0.');
  return seconds * 1000;
}

function checkedId(id: string): string {
  if (/[\u0000-\u001f\u007f]/.test(id)) refuse('unknown-review', 'Expected the id of a review of this tenant.');
  return id;
}
