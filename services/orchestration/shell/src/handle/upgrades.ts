// Which executions could go on under another version of their definition, and taking them over to it: a page of them a call.
import type { BrokenExecution, Context, ProposedPointerMap, UpgradePage, UpgradeRequest } from '@weft/contracts';
import { isJsonObject, refuse, type Json } from '@weft/kernel';
import {
  foldExecution,
  initialExecution,
  migrationProblem,
  proposeMap,
  upgradeProblems,
  type DefinitionVersion,
  type ExecutionState,
  type PointerMap,
  type Program,
  type ProposedMap,
} from '@weft/orchestration/core';
import { randomUUID } from 'node:crypto';
import type { DefinitionStore } from '../persist/definition-store.js';
import type { ExecutionQueries } from '../query/execution-queries.js';
import type { PinnedExecutions } from '../query/pinned-executions.js';
import type { ExecutionEngine } from './execution-engine.js';
import { checkRecorded } from './operations.js';
import type { ProgramCache } from './programs.js';
import type { Publishing } from './publishing.js';

/** Executions that one call looks at, at most. */
export const UPGRADE_PAGE_MAX = 500;
/** Histories that are in memory at a time: they may be long ones. */
const HISTORIES_AT_ONCE = 50;
const WORKFLOW = /^([^/:\0]+)\/([^/:\0]+)$/;

export interface UpgradePorts {
  readonly engine: Pick<ExecutionEngine, 'submit'>;
  readonly queries: Pick<ExecutionQueries, 'histories'>;
  readonly pinned: PinnedExecutions;
  readonly definitions: Pick<DefinitionStore, 'resolve'>;
  readonly programs: Pick<ProgramCache, 'fetch' | 'get' | 'compile'>;
  readonly publishing: Pick<Publishing, 'read'>;
}

/** The version that an upgrade goes to. */
interface Target {
  readonly version: DefinitionVersion;
  readonly program: Program;
}

/** An execution as it is looked at. */
interface Looked {
  readonly id: string;
  readonly state: ExecutionState;
  readonly from: Program;
  readonly proposed: ProposedMap;
}

export class Upgrades {
  constructor(private readonly ports: UpgradePorts) {}

  /** @throws Refused `request-invalid`, `unknown-workflow`, and what is wrong with the text. */
  async page(request: UpgradeRequest, context: Context): Promise<UpgradePage> {
    const { tenant, actor: by } = context;
    checkRecorded(request.operationId, request.reason);
    if (request.limit > UPGRADE_PAGE_MAX) refuse('request-invalid', `Expected at most ${UPGRADE_PAGE_MAX} executions a page but got ${request.limit}.`);
    const map = mapOf(request.mapJson);
    const target = request.text === '' ? await this.#deployed(tenant, request) : await this.#written(request.text, context);
    const { namespace, name, digest } = target.version;
    const { pinned } = this.ports;
    const query = { tenant, workflow: `${namespace}/${name}`, version: request.from, exceptDigest: digest, execution: request.executionId };
    const { ids, nextCursor } = await pinned.page(query, request.limit || UPGRADE_PAGE_MAX, request.cursor);
    const operationId = request.operationId || randomUUID();
    const page: UpgradePage = { operationId, to: { ...target.version }, matched: 0, able: 0, migrated: 0, broken: [], proposals: [], nextCursor };
    const able: string[] = [];
    const proposals = new Map<string, ProposedPointerMap>();
    for (let at = 0; at < ids.length; at += HISTORIES_AT_ONCE) {
      const looked = await this.#look(tenant, ids.slice(at, at + HISTORIES_AT_ONCE), target.program);
      // Those that ended meanwhile, or are being cancelled, stay as they are; of one that was named that is the answer.
      for (const each of looked.filter(({ state }) => request.executionId !== '' || migrationProblem(state) === undefined)) {
        const { version } = each.state.definition;
        page.matched++;
        if (!proposals.has(version)) proposals.set(version, proposalOf(version, each.proposed));
        const broken = brokenOf(each, target.program, map);
        if (broken) page.broken.push(broken);
        else able.push(each.id);
      }
    }
    page.able = able.length;
    page.proposals = [...proposals.values()];
    if (request.text === '' && !request.dryRun) await this.#migrate(page, able, { tenant, by, reason: request.reason, to: target.version, map });
    return page;
  }

  async #deployed(tenant: string, { workflow, to }: UpgradeRequest): Promise<Target> {
    const [, namespace, name] = WORKFLOW.exec(workflow) ?? [];
    if (namespace === undefined || name === undefined || to === '')
      return refuse('request-invalid', 'Expected a document, or a workflow as namespace/name and the version to take its executions over to, but there is neither.');
    const found = await this.ports.definitions.resolve(tenant, namespace, name, to);
    if (!found) return refuse('unknown-workflow', `Expected a deployed version but ${workflow}:${to} is not deployed for tenant ${tenant}. Deploy it with \`./weft deploy FILE\`.`);
    await this.ports.programs.fetch([found.digest]);
    const version = { namespace, name, version: found.version, digest: found.digest };
    return { version, program: this.ports.programs.get(found.digest) };
  }

  async #written(text: string, context: Context): Promise<Target> {
    const { workflow, digest, resources } = await this.ports.publishing.read(text, context);
    const { namespace, name, version } = workflow.document;
    return { version: { namespace, name, version, digest }, program: this.ports.programs.compile({ document: workflow as unknown as Json, resources }) };
  }

  /** Without those that have gone meanwhile. */
  async #look(tenant: string, ids: readonly string[], to: Program): Promise<readonly Looked[]> {
    const { queries, programs } = this.ports;
    const histories = await queries.histories(tenant, ids);
    const states = [...histories].map(([id, rows]) => {
      const events = rows.flatMap((row) => row.events);
      return { id, state: foldExecution(initialExecution, events) };
    });
    await programs.fetch(states.map(({ state }) => state.definition.digest));
    return states.map(({ id, state }) => {
      const from = programs.get(state.definition.digest);
      return { id, state, from, proposed: proposeMap(from, to) };
    });
  }

  /** Decided on anew in each history: what has gone on meanwhile is refused there. */
  async #migrate(
    page: UpgradePage,
    ids: readonly string[],
    asked: { readonly tenant: string; readonly by: string; readonly reason: string; readonly to: DefinitionVersion; readonly map: PointerMap },
  ): Promise<void> {
    const command = { type: 'MigrateExecution', id: page.operationId, ...asked } as const;
    const outcomes = await this.ports.engine.submit(ids.map((id) => ({ key: id, command, messageId: `migrate/${page.operationId}` })));
    outcomes.forEach((outcome, at) => {
      if (outcome.kind === 'setAside') throw outcome.fault;
      if (outcome.kind === 'accepted') page.migrated++;
      if (outcome.kind !== 'rejected') return;
      const { code, message } = outcome.rejection;
      page.able--;
      // It ended, or was cancelled, since it was looked at: nothing is broken.
      if (code === 'operation-not-possible') {
        page.matched--;
        return;
      }
      page.broken.push({ executionId: ids[at]!, version: '', problems: [{ reason: code, pointer: '', message }], isHealedByProposal: false });
    });
  }
}

function brokenOf({ id, state, from, proposed }: Looked, to: Program, map: PointerMap): BrokenExecution | undefined {
  const { version } = state.definition;
  const ended = migrationProblem(state);
  if (ended) return { executionId: id, version, problems: [{ reason: ended.code, pointer: '', message: ended.message }], isHealedByProposal: false };
  const problems = upgradeProblems(state, from, to, map);
  if (problems.length === 0) return undefined;
  const isHealedByProposal = upgradeProblems(state, from, to, { ...proposed.map, ...map }).length === 0;
  return { executionId: id, version, problems: problems.map((problem) => ({ ...problem })), isHealedByProposal };
}

const proposalOf = (version: string, { map, doubts }: ProposedMap): ProposedPointerMap => ({ version, mapJson: JSON.stringify(map), doubts: doubts.map((doubt) => ({ ...doubt })) });

function mapOf(text: string): PointerMap {
  if (text === '') return {};
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch {
    map = undefined;
  }
  const isMap = isJsonObject(map as Json) && Object.values(map as object).every((target) => typeof target === 'string');
  return isMap ? (map as PointerMap) : refuse('request-invalid', 'Expected the map to be an object of JSON Pointers by JSON Pointer but it is not.');
}
