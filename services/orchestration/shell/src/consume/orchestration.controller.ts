// The Orchestration service: questions that need an answer now. Implements the generated interface, in process and over gRPC.
import {
  ExecutionQuery,
  OrchestrationService,
  type BulkPage,
  type BulkRequest,
  type ChangeReviewRequest,
  type ChangeScheduleRequest,
  type Context,
  type DecideRequest,
  type Definition,
  type DefinitionPage,
  type DeployRequest,
  type EventBatch,
  type EventReceipts,
  type Execution,
  type ExecutionPage,
  type ExecutionRequest,
  type ListExecutionsRequest,
  type ListReviewsRequest,
  type ListSchedulesRequest,
  type MemberPage,
  type Operated,
  type OperateRequest,
  type OrchestrationPeer,
  type PageRequest,
  type ResolveDefinitionRequest,
  type Review,
  type ReviewDetail,
  type ReviewPage,
  type ReviewRequest,
  type ScheduleList,
  type SignalBatch,
  type SignalReceipts,
  type Timeline,
  type TimelineRequest,
  type UpgradePage,
  type UpgradeRequest,
} from '@weft/contracts';
import { isUuid, refuse, Refused } from '@weft/kernel';
import { decodeCursor, encodeCursor, isInstant, isText, pageLimit, PeerController } from '@weft/nest-platform';
import { possibleIn } from '@weft/orchestration/core';
import { randomUUID } from 'node:crypto';
import { Bulk } from '../handle/bulk.js';
import { Publishing } from '../handle/publishing.js';
import { Scheduling } from '../handle/scheduling.js';
import { Reviewing, unknownReview } from '../handle/reviewing.js';
import { inputOfTrigger, scheduleOf, unknownSchedule } from './schedule-views.js';
import { checkRecorded, operationNamed, Operations } from '../handle/operations.js';
import { DefinitionStore, type StoredDefinition } from '../persist/definition-store.js';
import { ExecutionQueries } from '../query/execution-queries.js';
import { ReviewQueries } from '../query/review-queries.js';
import { Upgrades } from '../handle/upgrades.js';
import { SignalIntake } from './signal-intake.js';
import { Replicas } from '../replicas/replica-presence.js';

@PeerController(OrchestrationService, 'orchestration')
export class OrchestrationController implements OrchestrationPeer {
  constructor(
    private readonly definitions: DefinitionStore,
    private readonly queries: ExecutionQueries,
    private readonly operations: Operations,
    private readonly signals: SignalIntake,
    private readonly replicas: Replicas,
    private readonly reviews: ReviewQueries,
    private readonly reviewing: Reviewing,
    private readonly publishing: Publishing,
    private readonly scheduling: Scheduling,
    private readonly upgrades: Upgrades,
  ) {}

  /** Why calls over gRPC do better at another replica right now. */
  unavailable(): string | undefined {
    return this.replicas.isAway() ? 'This replica cannot reach its store.' : undefined;
  }

  async deploy({ text }: DeployRequest, context: Context): Promise<Definition> {
    const { stored, created, resources } = await this.publishing.publish(text, context);
    return { ...definitionOf(stored, created), resources: Object.entries(resources).map(([uri, { kind, digest, mediaType }]) => ({ uri, kind, digest, mediaType })) };
  }

  async listDefinitions(request: PageRequest, context: Context): Promise<DefinitionPage> {
    const [createdAt, digest] = decodeCursor(request.cursor, isInstant, isText);
    const limit = pageLimit(request.limit);
    const rows = await this.definitions.list(context.tenant, limit + 1, createdAt === undefined ? undefined : { createdAt: Number(createdAt), digest: digest ?? '' });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { definitions: page.map((row) => definitionOf(row, false)), nextCursor: rows.length > limit && last ? encodeCursor([last.createdAt, last.digest]) : '' };
  }

  async resolveDefinition(request: ResolveDefinitionRequest, context: Context): Promise<Definition> {
    const { namespace, name, version } = request;
    const found = await this.definitions.resolve(context.tenant, namespace, name, version);
    if (!found)
      refuse(
        'unknown-workflow',
        `Expected a deployed workflow but ${namespace}/${name}${version ? `:${version}` : ''} is not deployed for tenant ${context.tenant}. Deploy it with \`./weft deploy FILE\`.`,
      );
    return definitionOf(found, false);
  }

  async getExecution(request: ExecutionRequest, context: Context): Promise<Execution> {
    const execution = isUuid(request.executionId) ? await this.queries.get(context.tenant, request.executionId) : undefined;
    return execution ?? unknownExecution(request.executionId);
  }

  async listExecutions(request: ListExecutionsRequest, context: Context): Promise<ExecutionPage> {
    return this.queries.list(context.tenant, request.query ?? ExecutionQuery.fromPartial({ status: request.status }), request.page?.limit ?? 0, request.page?.cursor ?? '');
  }

  async getTimeline(request: TimelineRequest, context: Context): Promise<Timeline> {
    const timeline = isUuid(request.executionId) ? await this.queries.timeline(context.tenant, request.executionId, request.afterVersion) : undefined;
    return timeline ?? unknownExecution(request.executionId);
  }

  async getMembers(request: ExecutionRequest, context: Context): Promise<MemberPage> {
    if (!isUuid(request.executionId)) unknownExecution(request.executionId);
    return this.queries.members(context.tenant, request.executionId);
  }

  async listReviews(request: ListReviewsRequest, context: Context): Promise<ReviewPage> {
    return this.reviews.list(request, context);
  }

  async getReview({ reviewId }: ReviewRequest, context: Context): Promise<ReviewDetail> {
    return (await this.reviews.detail(context.tenant, reviewId)) ?? unknownReview(reviewId);
  }

  async changeReview(request: ChangeReviewRequest, context: Context): Promise<Review> {
    return this.reviewing.change(request, context);
  }

  async operate(request: OperateRequest, context: Context): Promise<Operated> {
    const { executionId, reason, task } = request;
    const operation = operationNamed(request.operation);
    checkRecorded(request.operationId, reason);
    if (task !== '' && operation !== 'fork' && operation !== 'reset')
      refuse('request-invalid', `Expected no task for ${operation} but got ${JSON.stringify(task.slice(0, 200))}: only fork and reset start from one.`);
    // Asked as the tenant first: what is another's is not there.
    await this.getExecution({ executionId }, context);
    const operationId = request.operationId || randomUUID();
    const [answer] = await this.operations.operate(context.tenant, [executionId], { operation, id: operationId, by: context.actor, reason, task });
    if (!answer?.ok) throw new Refused(answer!.rejection);
    const execution = await this.getExecution({ executionId }, context);
    return { operation, operationId, changed: answer.changed, execution, possible: [...possibleIn(execution.status)], newExecutionId: answer.newExecutionId };
  }

  async operateMany(request: BulkRequest, context: Context): Promise<BulkPage> {
    return new Bulk(this.operations, this.queries).page(context.tenant, context.actor, request);
  }

  async upgrade(request: UpgradeRequest, context: Context): Promise<UpgradePage> {
    if (request.executionId !== '') await this.getExecution({ executionId: request.executionId }, context);
    return this.upgrades.page(request, context);
  }

  async decide(request: DecideRequest, context: Context): Promise<Review> {
    return this.reviewing.decide(request, context);
  }

  async listSchedules({ namespace, name }: ListSchedulesRequest, context: Context): Promise<ScheduleList> {
    return { schedules: (await this.scheduling.store.list(context.tenant, namespace, name)).map(scheduleOf), executionId: '' };
  }

  async changeSchedule(request: ChangeScheduleRequest, context: Context): Promise<ScheduleList> {
    const { namespace, name, reason, operation } = request;
    checkRecorded(request.operationId, reason);
    const schedules = await this.scheduling.store.list(context.tenant, namespace, name);
    const [first] = schedules;
    if (!first || name === '' || namespace === '') return unknownSchedule(namespace, name);
    const executionId = operation === 'trigger' ? await this.scheduling.trigger(first, request.operationId, inputOfTrigger(request.inputJson), context) : '';
    if (operation === 'pause' || operation === 'resume') await this.scheduling.change(schedules, operation === 'pause', context.actor, reason);
    else if (operation !== 'trigger') refuse('request-invalid', `Expected pause, resume or trigger but got ${JSON.stringify(operation.slice(0, 60))}.`);
    return { ...(await this.listSchedules({ namespace, name }, context)), executionId };
  }

  async signal({ events }: SignalBatch, context: Context): Promise<SignalReceipts> {
    return { receipts: await this.signals.signal(events, context) };
  }

  async publishEvents({ eventJson }: EventBatch, context: Context): Promise<EventReceipts> {
    return { receipts: await this.signals.publish(eventJson, context) };
  }
}

const unknownExecution = (id: string): never => refuse('not-found', `Expected an execution of this tenant but ${JSON.stringify(id)} is not one.`);

const definitionOf = ({ namespace, name, version, digest, title, createdAt }: StoredDefinition, created: boolean): Definition => ({
  ref: { namespace, name, version, digest },
  createdAtMs: createdAt,
  created,
  title,
  resources: [],
});
