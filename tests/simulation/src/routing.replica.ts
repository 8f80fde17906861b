// One routing process: requests become durable under their name, and their starts are told until the execution has begun.
import { uuidv7 } from '@weft/kernel';
import { CommitUnknown, Fault } from '@weft/pipeline';
import { select, type RouteTable } from '@weft/routing/core';
import type { Message } from './bus.js';
import { DEFINITIONS, digestOf } from './definition.js';
import { TENANT } from './execution-table.js';
import type { Sent } from './job.js';
import type { Process } from './process.js';
import type { RequestRow } from './request-table.js';
import { requireHere } from './store-port.js';
import type { World } from './world.js';

/** What a client asks. */
export interface Request {
  readonly id: string;
  readonly type: string;
  readonly total: number;
}

/** What became of a request: the same answer for ever, or another request has its name. */
export type Acceptance = { readonly kind: 'answered'; readonly execution: string } | { readonly kind: 'conflict' } | { readonly kind: 'fault'; readonly fault: Fault };

export const SOURCE = '/sim/client';

/** The event type that leads to a definition. */
export const typeOf = (number: number): string => `sim.plan.${number}`;

const table: RouteTable = { version: 1, models: [], routes: [{ name: 'plans', when: { type: 'sim.plan.*', source: '/sim/*' }, workflow: { namespace: 'sim', name: 'plan' } }] };

type Draft = Omit<RequestRow, 'redeliverAt' | 'deliveries'>;

export class RoutingReplica {
  constructor(
    private readonly world: World,
    readonly process: Process,
  ) {
    process.every(500, () => this.#redeliver());
  }

  /** Takes requests off the bus. */
  readonly handle = (batch: readonly Message[]): Promise<void> => this.world.parts.take(batch, (messages) => this.#handle(messages));

  /** Hears which executions have begun: their starts need no more telling. */
  readonly hear = async (batch: readonly Message[]): Promise<void> => {
    const begun = new Set(batch.map(({ key }) => key));
    await this.process.ask('settle', () => {
      requireHere(this.world.requests, this.world.schedule);
      this.world.requests.settle(begun);
    });
  };

  /** Accepts or refuses; each answer is durable. */
  async accept(requests: readonly Request[]): Promise<readonly Acceptance[]> {
    const { requests: stored, random } = this.world;
    const now = this.process.now();
    const drafts = new Map<string, Draft>();
    for (const request of requests) if (!drafts.has(nameOf(request))) drafts.set(nameOf(request), draftOf(request, uuidv7(now, random.bytes(10))));
    const won = await this.#store([...drafts.values()]);
    const fresh = [...drafts.values()].filter(({ execution }) => won.has(execution));
    this.#handOn(fresh);
    return requests.map((request) => {
      const row = stored.rows.get(nameOf(request));
      if (!row) return { kind: 'fault', fault: new Fault('neither stored nor found', true) };
      const isSame = row.type === request.type && (row.data as { total: number }).total === request.total;
      return isSame ? { kind: 'answered', execution: row.execution } : { kind: 'conflict' };
    });
  }

  async #handle(messages: readonly Message[]): Promise<void> {
    for (const acceptance of await this.accept(messages.map(({ body }) => body as Request))) if (acceptance.kind === 'fault') throw acceptance.fault;
  }

  async #store(drafts: readonly Draft[]): Promise<ReadonlySet<string>> {
    const { chaos, parts, random, requests, schedule } = this.world;
    const at = this.process.now();
    for (let attempt = 1; ; attempt++) {
      const commitId = uuidv7(at, random.bytes(10));
      try {
        return await this.process.ask('store requests', () => {
          requireHere(requests, schedule);
          if (chaos.strikes('commit-refused')) throw new Fault('refused for now', true);
          if (chaos.strikes('commit-cut')) throw new CommitUnknown(commitId, 'cut before');
          const won = requests.write(commitId, at, drafts, parts.isTaken);
          for (const { execution, type, status, name } of drafts) if (won.has(execution) && status === 'accepted') this.world.define(execution, Number(type.split('.')[2]), name.split('\n')[1]!);
          if (chaos.strikes('commit-answer-lost')) throw new CommitUnknown(commitId, 'cut after');
          if (chaos.strikes('crash-after-commit')) this.process.crash();
          return won;
        });
      } catch (fault) {
        if (!(fault instanceof CommitUnknown) || attempt === 2) throw fault;
      }
    }
  }

  #handOn(rows: readonly Draft[]): void {
    const starts = rows.filter(({ status }) => status === 'accepted').map((row) => ({ id: `start/${row.execution}`, key: row.execution, body: startOf(row) }));
    const refusals = rows
      .filter(({ status }) => status === 'refused')
      .map(({ name, execution }) => ({ id: `${execution}/refused`, key: execution, body: { execution, request: name.split('\n')[1]!, status: 'refused', output: null } }));
    const { bus, requests, schedule } = this.world;
    bus.publish(this.process, 'commands', starts).catch(() => undefined);
    bus
      .publish(this.process, 'results', refusals)
      .then(() =>
        this.process.ask('settle', () => {
          requireHere(requests, schedule);
          requests.settle(new Set(refusals.map(({ key }) => key)));
        }),
      )
      .catch(() => undefined);
  }

  #redeliver(): void {
    const { requests, schedule } = this.world;
    if (schedule.now < requests.awayUntil) return;
    const due = requests.claimDue(this.process.now());
    if (due.length > 0) this.#handOn(due);
  }
}

/** One line for a request's name: source and id. */
export const nameOf = ({ id }: Pick<Request, 'id'>): string => `${SOURCE}\n${id}`;

function draftOf(request: Request, execution: string): Draft {
  const data = { total: request.total, request: request.id };
  const selected = select(table, { tenant: TENANT, type: request.type, source: SOURCE, data });
  return { name: nameOf(request), type: request.type, data, execution, status: selected.ok ? 'accepted' : 'refused', workflow: selected.ok ? selected.choice.workflow.name : '' };
}

function startOf({ execution, name, type, data }: Draft): Sent {
  const number = Number(type.split('.')[2]) % DEFINITIONS;
  const definition = { namespace: 'sim', name: `plan-${number}`, version: '1.0.0', digest: digestOf(number) };
  return {
    id: `start/${execution}`,
    execution,
    command: {
      type: 'StartExecution',
      executionId: execution,
      definition,
      request: { source: SOURCE, id: name.split('\n')[1]!, type },
      context: { tenant: TENANT, actor: 'sim', purpose: '', traceparent: '', tracestate: '', deadlineMs: 0 },
      taint: [],
      models: [],
      input: data,
    },
  };
}
