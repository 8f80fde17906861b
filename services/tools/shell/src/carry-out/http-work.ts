// HTTP jobs made ready: which request, of which class, what its answer means.
import { rejection, type Json } from '@weft/kernel';
import type { Job } from '@weft/contracts';
import { ATTRIBUTE } from '@weft/telemetry';
import { headerText, identityHeaders, type HttpRequest, type PreparedTool, type Reconciliation, type RequestMaking } from '@weft/tools/core';
import type { EgressAnswer, EgressClient } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import type { SchemaCheck } from '../registry/schemas.js';
import { secretMissing, type Secrets } from '../secret/secrets.js';
import { contentOf } from './answer-content.js';
import type { Gate } from './gate.js';
import { sendHttp, type HttpExchanging } from './send-http.js';
import type { ReadAnswer, Work, WorkMaking } from './work.js';

/** What HTTP works are made with. */
export interface HttpPorts {
  readonly egress: EgressClient;
  readonly secrets: Secrets;
}

/** A declared HTTP tool with its output schema compiled. */
export interface HttpToolEntry {
  readonly tool: PreparedTool;
  readonly outputProblem: SchemaCheck | undefined;
  readonly gate: Gate | undefined;
}

/** A job of a declared tool, its arguments checked before. Failure codes: `input-invalid`, `not-configured`, those of expressions. */
export function toolWork(ports: HttpPorts, job: Job, { tool, outputProblem, gate }: HttpToolEntry, args: Json): WorkMaking {
  const { definition, requestFor, reconcile, origins } = tool;
  const made = withSecrets(requestFor(args), ports.secrets);
  if (!made.ok) return made;
  const hook = reconcile && withSecrets(reconcile.requestFor(args, headerText(job.idempotencyKey)), ports.secrets);
  if (hook && !hook.ok) return hook;
  const sender: Sender = { name: `tool ${definition.name}`, origins, mayGoAnywherePublic: false };
  const exchanging: HttpExchanging = {
    effect: definition.effect,
    request: made.request,
    headers: { ...made.headers, ...identityHeaders(job) },
    sender,
    isRedirectSuccess: false,
    redirectsMax: definition.http.redirects ?? 0,
    read: (answer) => readContent(answer, outputProblem),
  };
  return {
    ok: true,
    work: {
      ...workOf(ports, job, definition.name, definition.timeoutMs, [`tool:${definition.name}`], exchanging),
      gate,
      ...(hook && reconcile ? { reconcile: (signal) => askHook(ports.egress, { job, sender, timeoutMs: definition.timeoutMs, hook, read: reconcile.read }, signal) } : {}),
    },
  };
}

function readContent(answer: EgressAnswer, outputProblem: SchemaCheck | undefined): ReadAnswer {
  const reading = contentOf(answer);
  if (!reading.ok) return unusable(reading.problem);
  const problem = outputProblem?.(reading.content);
  return problem === undefined ? { output: reading.content } : unusable(`${problem}, as the output schema of the tool wants`);
}

/** The work of one exchange. */
export function workOf({ egress }: HttpPorts, job: Job, name: string, timeoutMs: number, taint: readonly string[], exchanging: HttpExchanging): Work {
  const { request, effect } = exchanging;
  return {
    job,
    name,
    effect,
    timeoutMs,
    request: { method: request.method, url: request.url, ...(request.body === undefined ? {} : { body: request.body }) },
    attributes: { [ATTRIBUTE.httpMethod]: request.method },
    taint,
    send: (sending) => sendHttp(egress, exchanging, sending),
  };
}

interface ReadyHook {
  readonly job: Job;
  readonly sender: Sender;
  readonly timeoutMs: number;
  readonly hook: Extract<Resolved, { ok: true }>;
  readonly read: (content: Json, status: number) => Reconciliation;
}

async function askHook(egress: EgressClient, { job, sender, timeoutMs, hook, read }: ReadyHook, signal: AbortSignal): Promise<Reconciliation> {
  const { method, url, body } = hook.request;
  const headers = { ...hook.headers, ...identityHeaders(job) };
  const result = await egress.send({ method, url, headers, ...(body === undefined ? {} : { body }), sender, timeoutMs, mayRepeat: true, signal });
  if (result.kind !== 'answered') return { happened: 'unclear', reason: result.message };
  const reading = contentOf(result);
  return reading.ok ? read(reading.content, result.status) : { happened: 'unclear', reason: reading.problem };
}

/** An answer that cannot be used, although what was asked for happened. */
export const unusable = (problem: string): ReadAnswer => ({ output: null, unusable: rejection('output-invalid', `Expected an answer that can be used but ${problem}.`) });

type Resolved = { readonly ok: true; readonly request: HttpRequest; readonly headers: { readonly [name: string]: string } } | Extract<WorkMaking, { ok: false }>;

function withSecrets(made: RequestMaking, secrets: Secrets): Resolved {
  if (!made.ok) return made;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(made.request.headers)) {
    if (typeof value === 'string') {
      headers[name] = value;
      continue;
    }
    const secret = secrets(value.secret);
    if (secret === undefined) return { ok: false, failure: secretMissing(value.secret) };
    headers[name] = `${value.prefix ?? ''}${secret}`;
  }
  return { ok: true, request: made.request, headers };
}
