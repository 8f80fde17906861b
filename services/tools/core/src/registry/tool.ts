// Tools as the registry file declares them. The shell has checked the form; what they mean is checked here.
import type { Json, JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import type { DataClass } from '../permission/permission-request.js';

/** Timeout of a tool that declares none, milliseconds. */
export const TOOL_TIMEOUT_MS = 10_000;

/** A header's value: text or `${ jq }` over the arguments, or a secret by name with what stands before it (`Bearer `). */
export type HeaderValue = string | { readonly secret: string; readonly prefix?: string };

/** What every tool declares. */
export interface ToolBase {
  /** 1 to 100 characters of a-z, 0-9, `-`, `_` and `.`, starting with a letter. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly input: JsonObject;
  /** JSON Schema of the output. */
  readonly output?: JsonObject;
  readonly timeoutMs: number;
  /** Whether what it answers is somebody's private matter: its output is labelled so. Default public. */
  readonly data?: DataClass;
  /** Calls on their way at once, in one process. Default: only what bounds all tools. */
  readonly concurrency?: number;
  /** Price of one call, millionths of the unit of money. Default 0. */
  readonly costMicros?: number;
}

/** Answers the declared JSON: for examples, tests and benchmarks. Always of class read. */
export interface StaticTool extends ToolBase {
  readonly kind: 'static';
  readonly effect: 'read';
  readonly answer: Json;
}

/** One HTTP request. */
export interface HttpTool extends ToolBase {
  readonly kind: 'http';
  readonly effect: EffectClass;
  readonly http: HttpTemplate;
  readonly reconcile?: ReconcileHook;
}

/** JavaScript in a sandbox: computes, and reaches nothing. Always of class read. */
export interface ScriptTool extends ToolBase {
  readonly kind: 'script';
  readonly effect: 'read';
  readonly script: {
    /** Body of a function of `input`, the arguments; what it returns, or what its promise comes to, is the output. */
    readonly source: string;
    /** Of its heap. */
    readonly memoryBytes: number;
  };
}

/** Memory of a script that declares none: 32 MiB. */
export const SCRIPT_MEMORY_BYTES = 32 * 1024 * 1024;

export type ToolDefinition = StaticTool | HttpTool | ScriptTool;

export interface HttpTemplate {
  readonly method: HttpMethod;
  /** RFC 6570 level-1 template over the arguments, or one `${ jq }`. */
  readonly url: string;
  readonly headers: { readonly [name: string]: HeaderValue };
  /** Any JSON with `${ jq }` texts over the arguments. Default for methods with a body: the arguments as they are. */
  readonly body?: Json;
  /** Redirects that are followed, each judged like a request of its own: 0 to 5. Default 0. */
  readonly redirects?: number;
}

/** Asks afterwards whether an effect happened. */
export interface ReconcileHook {
  readonly method: 'GET' | 'POST';
  /** Template over the arguments and `key`, the idempotency key. */
  readonly url: string;
  readonly headers: { readonly [name: string]: HeaderValue };
  /** jq over the answer's content, with `$status`: true or false; anything else means "cannot tell". */
  readonly happened: string;
  /** jq over the answer's content, with `$status`: what the lost answer would have been. Default: the content. */
  readonly output?: string;
}

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
