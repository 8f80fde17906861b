import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { OrchestrationPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import { failpoint } from '@weft/pipeline';
import { reviewView } from '../answer/views.js';
import { bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf } from '../http/query.js';
import { ORCHESTRATION } from '../ports.js';

@Controller('v1/reviews')
export class ReviewsController {
  constructor(@Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer) {}

  /** Reviews of the tenant. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const { reviews, nextCursor } = await this.orchestration.listReviews(pageOf(request), request.context);
    return { reviews: reviews.map(reviewView), nextCursor };
  }

  /** Decides a review: {outcome, comment?, form?}. Which outcomes a review takes, orchestration says. */
  @Post(':id/decide')
  @HttpCode(200)
  async decide(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    if (/[\u0000-\u001f\u007f]/.test(id)) refuse('unknown-review', 'Expected the id of a review of this tenant.');
    const body = bodyObject(request, 'a decision');
    onlyFields(body, ['outcome', 'comment', 'form'], 'a decision');
    checkStorable(body, 'a decision');
    const form = body['form'];
    const decision = { reviewId: id, outcome: textField(body, 'outcome'), comment: textField(body, 'comment', ''), formJson: form === undefined ? '' : JSON.stringify(form) };
    failpoint('gateway.decide-review', 'before');
    const review = await this.orchestration.decide(decision, request.context);
    failpoint('gateway.decide-review', 'after');
    return reviewView(review);
  }
}
