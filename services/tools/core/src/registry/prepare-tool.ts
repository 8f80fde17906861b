// A declared HTTP tool compiled once into closures.
import { rejection, type Json } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { checkedRequest, headerProblem, type RequestMaking } from './http-request.js';
import { compileExpression, compileTemplate, type Template } from './json-template.js';
import type { HeaderValue, HttpTool, ToolDefinition } from './tool.js';
import { expandUri, uriTemplateProblem, type Expansion } from './uri-template.js';

/** What a hook's answer means. */
export type Reconciliation = { readonly happened: true; readonly output: Json } | { readonly happened: false } | { readonly happened: 'unclear'; readonly reason: string };

/** A tool ready to use. */
export interface PreparedTool {
  readonly definition: HttpTool;
  /** The request for checked arguments. Failures: `input-invalid`, and those of expressions. */
  readonly requestFor: (args: Json) => RequestMaking;
  readonly reconcile?: {
    readonly requestFor: (args: Json, key: string) => RequestMaking;
    readonly read: (content: Json, status: number) => Reconciliation;
  };
  /** `scheme://host[:port]` of every URL that is written out; a URL made by jq names none. */
  readonly origins: readonly string[];
}

export type Preparation = { readonly ok: true; readonly tool: PreparedTool } | { readonly ok: false; readonly problems: readonly string[] };

/** Contradictions that the form of a definition does not show. Each names the field. */
export function toolProblems(definition: ToolDefinition): readonly string[] {
  if (definition.kind !== 'http') return [];
  const problems: string[] = [];
  const { method } = definition.http;
  if ((method === 'GET' || method === 'HEAD') && definition.effect !== 'read') problems.push(`effect: ${method} changes nothing, so it is of class read, not ${definition.effect}`);
  if (definition.effect === 'read' && (method === 'PUT' || method === 'PATCH' || method === 'DELETE')) problems.push(`effect: ${method} changes something, so it is not of class read`);
  if (definition.reconcile && definition.effect !== 'non-idempotent-write') problems.push(`reconcile: only an effect of class non-idempotent-write needs a hook, this one is ${definition.effect}`);
  return problems;
}

/** Compiles a tool, or lists everything that is wrong with it. */
export function prepareTool(definition: HttpTool): Preparation {
  const problems = [...toolProblems(definition)];
  const taken = <T>(field: string, compiled: { readonly ok: true; readonly template: T } | { readonly ok: false; readonly problem: string }): T | undefined => {
    if (compiled.ok) return compiled.template;
    problems.push(`${field}: ${compiled.problem}`);
    return undefined;
  };
  const { http, reconcile } = definition;
  const url = taken('http.url', compileUrl(http.url));
  const headers = compileHeaders(http.headers, (field, compiled) => taken(`http.${field}`, compiled), problems);
  const body = taken('http.body', compileTemplate(http.body ?? '${ . }'));
  const hookUrl = reconcile && taken('reconcile.url', compileUrl(reconcile.url));
  const hookHeaders = reconcile && compileHeaders(reconcile.headers, (field, compiled) => taken(`reconcile.${field}`, compiled), problems);
  const happened = reconcile && taken('reconcile.happened', compileExpression(reconcile.happened, ['status']));
  const output = reconcile && taken('reconcile.output', compileExpression(reconcile.output ?? '.', ['status']));
  if (problems.length > 0 || !url || !body) return { ok: false, problems };
  const hasBody = http.method !== 'GET' && http.method !== 'HEAD' && (http.method !== 'DELETE' || http.body !== undefined);
  return {
    ok: true,
    tool: {
      definition,
      origins: [http.url, ...(reconcile ? [reconcile.url] : [])].flatMap((text) => originOf(text) ?? []),
      requestFor: (args) => make(http.method, url(args), headers, args, hasBody ? body : undefined),
      ...(reconcile && hookUrl && hookHeaders && happened && output
        ? {
            reconcile: {
              requestFor: (args: Json, key: string) => make(reconcile.method, hookUrl({ ...(args as object), key }), hookHeaders, args, undefined),
              read: (content: Json, status: number) => readAnswer(happened, output, content, status),
            },
          }
        : {}),
    },
  };
}

type UrlTemplate = (values: Json) => Expansion;

function compileUrl(text: string): { readonly ok: true; readonly template: UrlTemplate } | { readonly ok: false; readonly problem: string } {
  if (embeddedExpression(text) !== undefined) {
    const compiled = compileExpression(text);
    if (!compiled.ok) return compiled;
    return {
      ok: true,
      template: (values) => {
        const made = compiled.template(values);
        if (!made.ok) return made;
        if (typeof made.value === 'string') return { ok: true, text: made.value };
        return { ok: false, failure: rejection('input-invalid', `Expected the expression of the URL to give a text but it gave ${JSON.stringify(made.value).slice(0, 80)}.`) };
      },
    };
  }
  if (originOf(text) === undefined) return { ok: false, problem: `expected http://host/... or https://host/... with the host written out, but got ${JSON.stringify(text)}` };
  const problem = uriTemplateProblem(text);
  return problem === undefined ? { ok: true, template: (values) => expandUri(text, values) } : { ok: false, problem };
}

/** Scheme, host and port of a URL text whose host holds no variable; undefined for any other text. */
export function originOf(text: string): string | undefined {
  return /^(https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?)(?:[/?#]|$)/.exec(text)?.[1]?.toLowerCase();
}

type Header = readonly [name: string, value: Template | Exclude<HeaderValue, string>];
type Headers = readonly Header[];

function compileHeaders(declared: { readonly [name: string]: HeaderValue }, taken: (field: string, compiled: ReturnType<typeof compileTemplate>) => Template | undefined, problems: string[]): Headers {
  return Object.entries(declared).flatMap(([name, value]): Header[] => {
    const problem = headerProblem(name, value);
    if (problem !== undefined) problems.push(`headers: ${problem}`);
    if (typeof value !== 'string') return [[name, value]];
    const template = taken(`headers.${name}`, compileTemplate(value));
    return template ? [[name, template]] : [];
  });
}

function make(method: HttpTool['http']['method'], url: Expansion, headers: Headers, args: Json, body: Template | undefined): RequestMaking {
  if (!url.ok) return url;
  const filled: Record<string, HeaderValue> = {};
  for (const [name, value] of headers) {
    if (typeof value !== 'function') {
      filled[name] = value;
      continue;
    }
    const made = value(args);
    if (!made.ok) return made;
    // A header that its expression leaves empty is not sent.
    if (made.value !== null) filled[name] = typeof made.value === 'string' ? made.value : JSON.stringify(made.value);
  }
  const content = body?.(args);
  if (content && !content.ok) return content;
  if (content && !Object.keys(filled).some((name) => name.toLowerCase() === 'content-type')) filled['content-type'] = 'application/json';
  return checkedRequest({ method, url: url.text, headers: filled, ...(content ? { body: JSON.stringify(content.value) } : {}) });
}

function readAnswer(happened: Template, output: Template, content: Json, status: number): Reconciliation {
  const told = happened(content, { status });
  if (!told.ok) return { happened: 'unclear', reason: told.failure.message };
  if (told.value === false) return { happened: false };
  if (told.value !== true) return { happened: 'unclear', reason: `its answer (HTTP ${status}) gives ${JSON.stringify(told.value).slice(0, 80)} for happened, not true or false` };
  const result = output(content, { status });
  return result.ok ? { happened: true, output: result.value } : { happened: true, output: null };
}
