import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { changeReview, decideReview, readReview, reviewPage, type ReviewDecision } from '../client/reviews.js';
import type { ReviewShape } from '../client/shapes.js';
import { colors, printer } from '../output/print.js';
import { actedText, reviewDetailText, reviewText } from '../output/reviews.js';
import { oneOf, wholeNumber, withExamples } from './command.js';
import { jsonOption } from './json-option.js';

const STATUSES = ['open', 'approved', 'rejected', 'happened', 'did-not-happen', 'expired', 'withdrawn'];
const KINDS = ['approval', 'effect-outcome', 'action'];

interface ListOptions {
  readonly limit: number;
  readonly mine?: boolean;
  readonly role?: string;
  readonly status?: string;
  readonly kind?: string;
  readonly workflow?: string;
  readonly execution?: string;
  readonly dueBefore?: string;
  readonly cursor?: string;
  readonly json?: boolean;
}

export function registerReviews(program: Command): void {
  const list = program
    .command('reviews')
    .description('List reviews, the oldest first: those that wait for a person, unless a status is named')
    .option('--mine', 'only what the key in use may decide now')
    .option('--role <role>', 'only what is assigned to this role')
    .option('--status <status>', `${STATUSES.join(', ')} or all`, oneOf([...STATUSES, 'all']))
    .option('--kind <kind>', KINDS.join(', '), oneOf(KINDS))
    .option('--workflow <name>', 'namespace/name or namespace/name:version')
    .option('--execution <id>', 'of one execution')
    .option('--due-before <time>', 'that should be decided before this time')
    .option('--limit <n>', 'how many, 1 to 200', wholeNumber(1, 200), 20)
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--json', 'print JSON')
    .action(async ({ json = false, limit, ...filter }: ListOptions) => {
      const { reviews, nextCursor } = await reviewPage(new GatewayClient(connection()), limit, filter);
      const out = printer(json);
      if (nextCursor !== '') out.progress(`there are more: --cursor ${nextCursor}`);
      out.data(reviews, () => (reviews.length === 0 ? colors.dim('no such reviews') : reviews.map(reviewText).join('\n\n')));
    });
  withExamples(list, [
    ['./weft reviews', 'what waits for a person, with what it is about'],
    ['./weft reviews --mine', "what you may decide now: yours, your roles', or anybody's"],
    ['./weft reviews --status expired --workflow examples/refund', 'what nobody decided in time'],
    ["./weft reviews --json | jq -r '.[0].reviewId'", 'the id of the oldest'],
  ]);

  const review = program.command('review').description('Act on one review');
  registerShow(review);
  registerClaim(review);
  registerDelegate(review);
  registerComment(review);
  registerDecide(review);
}

function registerShow(review: Command): void {
  const show = review
    .command('show')
    .description('Show a review: what is asked, of whom, and what has happened to it')
    .argument('<review>', 'id of the review')
    .option('--json', 'print JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const detail = await readReview(new GatewayClient(connection()), id);
      printer(json).data(detail, () => reviewDetailText(detail));
    });
  withExamples(show, [['./weft review show 0198c0de-....7.0', 'with its subject, its form, comments and claims']]);
}

function registerClaim(review: Command): void {
  const claim = review
    .command('claim')
    .description('Take a review in hand: nobody else decides it meanwhile. Again, it holds for longer')
    .argument('<review>', 'id of the review')
    .option('--minutes <n>', 'for how long, 1 to 1440 (default 15)', wholeNumber(1, 1440))
    .option('--json', 'print JSON')
    .action(async (id: string, { minutes, json = false }: { minutes?: number; json?: boolean }) => {
      const wish = minutes === undefined ? {} : { leaseSeconds: minutes * 60 };
      print(await changeReview(new GatewayClient(connection()), id, 'claim', wish), json);
    });
  withExamples(claim, [
    ['./weft review claim 0198c0de-....7.0', 'for 15 minutes'],
    ['./weft review claim 0198c0de-....7.0 --minutes 120', 'for two hours'],
  ]);
  const release = review
    .command('release')
    .description('Give back a review that you have claimed')
    .argument('<review>', 'id of the review')
    .option('--json', 'print JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => print(await changeReview(new GatewayClient(connection()), id, 'release', {}), json));
  withExamples(release, [['./weft review release 0198c0de-....7.0', 'others may decide it again']]);
}

function registerDelegate(review: Command): void {
  const delegate = review
    .command('delegate')
    .description('Hand a review over to somebody else, or to a role')
    .argument('<review>', 'id of the review')
    .argument('<to>', 'user:NAME, key:ID or role:NAME')
    .option('--text <text>', 'why')
    .option('--json', 'print JSON')
    .action(async (id: string, to: string, { text, json = false }: { text?: string; json?: boolean }) =>
      print(await changeReview(new GatewayClient(connection()), id, 'delegate', { to, ...(text === undefined ? {} : { text }) }), json),
    );
  withExamples(delegate, [['./weft review delegate 0198c0de-....7.0 user:ann --text "You know the customer."', 'Ann has it in hand then']]);
}

function registerComment(review: Command): void {
  const comment = review
    .command('comment')
    .description('Say something about a review')
    .argument('<review>', 'id of the review')
    .argument('<text>', 'what to say')
    .option('--json', 'print JSON')
    .action(async (id: string, text: string, { json = false }: { json?: boolean }) => print(await changeReview(new GatewayClient(connection()), id, 'comment', { text }), json));
  withExamples(comment, [['./weft review comment 0198c0de-....7.0 "Why so much?"', 'kept for ever with the review']]);
}

interface DecideOptions {
  readonly comment?: string;
  readonly form?: unknown;
  readonly json?: boolean;
}

function registerDecide(review: Command): void {
  const decide = async (id: string, outcome: string, { comment, form, json = false }: DecideOptions): Promise<void> => {
    const decision: ReviewDecision = { outcome, ...(comment === undefined ? {} : { comment }), ...(form === undefined ? {} : { form }) };
    print(await decideReview(new GatewayClient(connection()), id, decision), json);
  };
  const withOptions = (command: Command): Command =>
    command.option('--comment <text>', 'why').option('--form <json>', 'what the review asks to fill in, as JSON', jsonOption).option('--json', 'print JSON');
  const decideCommand = withOptions(
    review
      .command('decide')
      .description('Decide a review: approved or rejected; happened or did-not-happen where the outcome of an effect is asked for')
      .argument('<review>', 'id of the review')
      .argument('<outcome>', 'approved, rejected, happened or did-not-happen'),
  ).action(decide);
  withExamples(decideCommand, [
    ['./weft review decide 0198c0de-....7.0 approved', 'the execution goes on'],
    ['./weft review decide 0198c0de-....7.0 rejected --comment "Too much."', 'with the reason'],
  ]);
  const approve = withOptions(review.command('approve').description('Approve: the same as `decide ... approved`').argument('<review>', 'id of the review')).action(
    (id: string, options: DecideOptions) => decide(id, 'approved', options),
  );
  withExamples(approve, [['./weft review approve 0198c0de-....7.0 --form \'{"amount": 10}\'', 'with the form that it asks for']]);
  const reject = withOptions(review.command('reject').description('Reject: the same as `decide ... rejected`').argument('<review>', 'id of the review')).action((id: string, options: DecideOptions) =>
    decide(id, 'rejected', options),
  );
  withExamples(reject, [['./weft review reject 0198c0de-....7.0 --comment "Too much."', 'with the reason']]);
}

function print(review: ReviewShape, json: boolean): void {
  printer(json).data(review, () => actedText(review));
}
