// HTTP jobs made ready: which request, of which class, what its answer means. Nothing is sent here.
import { rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import type { Job } from '@weft/contracts';
import { headerText, identityHeaders, outputOf, readHttpCall, type EffectClass, type HttpRequest, type Reconciliation, type RequestMaking } from '@weft/tools/core';
import type { EgressAnswer } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import type { HttpEntry } from '../registry/registry.js';
import { secretMissing, type Secrets } from '../secret/secrets.js';
import { contentOf } from './answer-content.js';

/** An answer read for the task. `unusable`: it happened, but its answer cannot be used. */
export interface ReadAnswer {
  readonly output: Json;
  readonly unusable?: Failure;
}

/** One HTTP job, ready to be sent. */
export interface HttpWork {
  readonly job: Job;
  /** For the ledger, evidence and spans. */
  readonly name: string;
  readonly effect: EffectClass;
  readonly timeoutMs: number;
  readonly request: HttpRequest;
  readonly headers: { readonly [name: string]: string };
  readonly sender: Sender;
  readonly isRedirectSuccess: boolean;
  readonly taint: readonly string[];
  readonly read: (answer: EgressAnswer) => ReadAnswer;
  readonly reconcile?: ReadyHook;
}

/** A tool's hook, ready to be asked. */
export interface ReadyHook {
  readonly request: HttpRequest;
  readonly headers: { readonly [name: string]: string };
  readonly read: (content: Json, status: number) => Reconciliation;
}

export type WorkMaking = { readonly ok: true; readonly work: HttpWork } | { readonly ok: false; readonly failure: Failure };

/** A job of a declared tool, its arguments checked before. Failure codes: `input-invalid`, `not-configured`, those of expressions. */
export function toolWork(job: Job, entry: HttpEntry, args: Json, secrets: Secrets): WorkMaking {
  const { definition, requestFor, reconcile, origins } = entry.tool;
  const made = withSecrets(requestFor(args), secrets);
  if (!made.ok) return made;
  const hook = reconcile && withSecrets(reconcile.requestFor(args, headerText(job.idempotencyKey)), secrets);
  if (hook && !hook.ok) return hook;
  return {
    ok: true,
    work: {
      job,
      name: entry.name,
      effect: definition.effect,
      timeoutMs: definition.timeoutMs,
      request: made.request,
      headers: { ...made.headers, ...identityHeaders(job) },
      sender: { name: `tool ${entry.name}`, origins, mayGoAnywherePublic: false },
      isRedirectSuccess: false,
      taint: entry.taint,
      read: (answer) => readContent(answer, entry),
      ...(hook && reconcile ? { reconcile: { request: hook.request, headers: { ...hook.headers, ...identityHeaders(job) }, read: reconcile.read } } : {}),
    },
  };
}

function readContent(answer: EgressAnswer, entry: HttpEntry): ReadAnswer {
  const reading = contentOf(answer);
  if (!reading.ok) return unusable(reading.problem);
  const problem = entry.outputProblem?.(reading.content);
  return problem === undefined ? { output: reading.content } : unusable(`${problem}, as the output schema of the tool wants`);
}

/** The standard's `call: http`. */
export function callWork(job: Job, args: Json, timeoutMs: number): WorkMaking {
  const reading = readHttpCall(args);
  if (!reading.ok) return reading;
  const { request, effect, output, isRedirectSuccess } = reading.call;
  return {
    ok: true,
    work: {
      job,
      name: 'call:http',
      effect,
      timeoutMs,
      request,
      headers: { ...(request.headers as { readonly [name: string]: string }), ...identityHeaders(job) },
      sender: { name: `call: http of workflow ${job.workflow}`, origins: [], mayGoAnywherePublic: false },
      isRedirectSuccess,
      taint: [`http:${hostOf(request.url)}`],
      read: (answer) => {
        const content = contentOf(answer);
        if (output === 'raw' ? answer.isTooLong : !content.ok) return unusable(content.ok ? '' : content.problem);
        const headers: JsonObject = answer.headers;
        return { output: outputOf(output, { status: answer.status, headers, content: content.ok ? content.content : null, base64: answer.body.toString('base64') }, request) };
      },
    },
  };
}

const unusable = (problem: string): ReadAnswer => ({ output: null, unusable: rejection('output-invalid', `Expected an answer that can be used but ${problem}.`) });

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '');

type Resolved = { readonly ok: true; readonly request: HttpRequest; readonly headers: { readonly [name: string]: string } } | { readonly ok: false; readonly failure: Failure };

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
