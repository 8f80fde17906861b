// The Routing service: accept a request, ask what would be chosen, ask what was chosen. In process and over gRPC.
import { RoutingService, type Accepted, type AcceptRequest, type Context, type ListModelsRequest, type ModelList, type RoutingPeer, type Selection, type SelectionRequest } from '@weft/contracts';
import { Inject } from '@nestjs/common';
import { isUuid, refuse, Refused } from '@weft/kernel';
import { PeerController } from '@weft/nest-platform';
import { redeemFor, type PayloadStore } from '@weft/pipeline';
import { candidateOf, select, usersOf } from '@weft/routing/core';
import type { Acceptance, AcceptPorts, Candidate } from '../handle/accept-requests.js';
import type { Admission } from '../handle/admission.js';
import type { Batcher } from '../handle/batcher.js';
import { checkRequest, type Incoming } from '../handle/check-request.js';
import type { RequestStore } from '../persist/request.store.js';

/** What answers calls: shared by all instances, so that calls over the wire and in process form the same batches. */
export interface AnswerPorts extends AcceptPorts {
  readonly admission: Admission;
  readonly store: RequestStore;
  readonly batches: Batcher<Candidate, Acceptance>;
  /** Largest data of a request, in bytes. */
  readonly requestBytesMax: number;
  /** Where large data of calls over the wire lies. Without it calls carry all. */
  readonly payloads?: PayloadStore | undefined;
}

const MODELS_PAGE = 100;
const MODELS_PAGE_MAX = 1_000;

export const ANSWER_PORTS = Symbol('weft.routing.answer');

@PeerController(RoutingService, 'routing')
export class RoutingController implements RoutingPeer {
  constructor(@Inject(ANSWER_PORTS) private readonly ports: AnswerPorts) {}

  /**
   * Accepts a request: it is durable and names its execution when this returns. The same request again gets the first answer.
   * Refusals leave nothing behind: `request-invalid`, `request-too-large`, `no-route`, `no-model`, `unknown-workflow`, and `conflict` when the id
   * names another request. `overloaded`, with a time to come back, when there is no place for a new one.
   */
  async accept(request: AcceptRequest, context: Context): Promise<Accepted> {
    const acceptance = await this.ports.batches.submit({ incoming: await this.#checked(request, context), keepsRefusal: false });
    switch (acceptance.kind) {
      case 'accepted':
        return { executionId: acceptance.request.executionId, duplicate: acceptance.isDuplicate, selection: acceptance.selection, acceptedAtMs: acceptance.request.acceptedAt };
      case 'refused':
        throw new Refused(acceptance.refusal);
      case 'fault':
        throw acceptance.fault;
    }
  }

  /** What `accept` would choose now, without starting anything. Refusals as there. */
  async select(request: AcceptRequest, context: Context): Promise<Selection> {
    const incoming = await this.#checked(request, context);
    const { table, version, digestOf } = this.ports.table;
    const selected = select(table, incoming, digestOf);
    if (!selected.ok) throw new Refused(selected.rejection);
    const [resolution] = await this.ports.workflows.resolveAll([{ incoming, choice: selected.choice }]);
    if (resolution?.kind === 'refused') throw new Refused(resolution.refusal);
    if (resolution?.kind !== 'resolved') throw resolution?.fault;
    const { rule, reasons, rejected, models } = selected.choice;
    return { tableVersion: version, rule, definition: resolution.definition, reasons: [...reasons], rejected: [...rejected], models: [...models] };
  }

  /** The decision that was taken for an execution of the tenant. Refusal: `unknown-execution`. */
  async getSelection({ executionId }: SelectionRequest, context: Context): Promise<Accepted> {
    const request = isUuid(executionId) ? await this.ports.store.ofExecution(context.tenant, executionId) : undefined;
    if (request?.verdict.status !== 'accepted') refuse('unknown-execution', `Expected an execution of tenant ${context.tenant} but ${JSON.stringify(executionId)} is none.`);
    return { executionId, duplicate: false, selection: request.verdict.selection, acceptedAtMs: request.acceptedAt };
  }

  /** A page of the catalogue; it is the same for all tenants. */
  async listModels({ after, limit }: ListModelsRequest): Promise<ModelList> {
    const { table, version, digestOf } = this.ports.table;
    const start = after === '' ? 0 : table.models.findIndex(({ id }) => id === after) + 1;
    if (after !== '' && start === 0) refuse('request-invalid', `Expected \`after\` to name a model of the catalogue but ${JSON.stringify(after)} is none.`);
    const end = start + Math.min(limit || MODELS_PAGE, MODELS_PAGE_MAX);
    const models = table.models.slice(start, end).map((model) => ({ ...candidateOf(model, usersOf(table, model), digestOf(model)) }));
    return { tableVersion: version, models, hasMore: end < table.models.length };
  }

  async #checked(request: AcceptRequest, context: Context): Promise<Incoming> {
    const { payloads, requestBytesMax } = this.ports;
    const whole = payloads ? await redeemFor(request, context.tenant, payloads) : ({ ok: true, message: request } as const);
    if (!whole.ok) throw new Refused(whole.rejection);
    const check = checkRequest(whole.message, context, requestBytesMax);
    if (!check.ok) throw new Refused(check.rejection);
    return check.incoming;
  }
}
