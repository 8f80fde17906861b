import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { decideReview, openReviews } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import type { ReviewShape } from '../client/shapes.js';
import { colors, printer } from '../output/print.js';
import { jsonOption, wholeNumber, withExamples } from './command.js';

export function registerReviews(program: Command): void {
  const list = program
    .command('reviews')
    .description('List the reviews that wait for a person, the oldest first')
    .option('--limit <n>', 'how many, 1 to 200', wholeNumber(1, 200), 20)
    .option('--json', 'print JSON')
    .action(async ({ limit, json = false }: { limit: number; json?: boolean }) => {
      const reviews = await openReviews(new GatewayClient(connection()), limit);
      printer(json).data(reviews, () => (reviews.length === 0 ? colors.dim('no open reviews') : reviews.map(reviewText).join('\n\n')));
    });
  withExamples(list, [
    ['./weft reviews', 'what waits for a person, with what it is about'],
    ["./weft reviews --json | jq -r '.[0].reviewId'", 'the id of the oldest'],
  ]);

  const review = program.command('review').description('Act on one review');
  const decide = review
    .command('decide')
    .description('Decide a review: approved or rejected; happened or did-not-happen where the outcome of an effect is asked for')
    .argument('<review>', 'id of the review')
    .argument('<outcome>', 'approved, rejected, happened or did-not-happen')
    .option('--comment <text>', 'why')
    .option('--form <json>', 'what the review asks to fill in, as JSON', jsonOption)
    .option('--json', 'print JSON')
    .action(async (id: string, outcome: string, { comment, form, json = false }: { comment?: string; form?: unknown; json?: boolean }) => {
      const decided = await decideReview(new GatewayClient(connection()), id, { outcome, ...(comment === undefined ? {} : { comment }), ...(form === undefined ? {} : { form }) });
      printer(json).data(decided, () => `${colors.bold(decided.status)} by ${decided.decidedBy} ${colors.dim(`./weft show ${decided.executionId}`)}`);
    });
  withExamples(decide, [
    ['./weft review decide 0198c0de-....7.0 approved', 'the execution goes on'],
    ['./weft review decide 0198c0de-....7.0 rejected --comment "Too much."', 'with the reason'],
  ]);
}

function reviewText({ reviewId, executionId, kind, title, openedAt, expiresAt, digest, subject }: ReviewShape): string {
  return [
    `${colors.bold(title)} ${colors.dim(`${kind}, open since ${openedAt ?? ''}`)}`,
    `review    ${reviewId}`,
    `execution ${executionId}`,
    ...(digest === undefined ? [] : [`digest    ${digest}`]),
    ...(expiresAt === null ? [] : [`expires   ${expiresAt}`]),
    ...(subject === undefined ? [] : [colors.dim(JSON.stringify(subject, null, 2))]),
  ].join('\n');
}
