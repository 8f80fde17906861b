// What is asked for when something acts: who, what, with which arguments, having seen what.
import type { Json } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';

/** Calls of the standard that go over the network. */
export const CALL_ACTIONS = ['http', 'openapi', 'grpc', 'asyncapi', 'mcp', 'a2a'] as const;
export type CallAction = (typeof CALL_ACTIONS)[number];

/** Processes of the standard's `run`. */
export const RUN_ACTIONS = ['script', 'shell', 'container'] as const;
export type RunAction = (typeof RUN_ACTIONS)[number];

/** What is done: a tool called, an endpoint called, a process run, a secret used, a model asked. */
export type Action = 'call' | CallAction | RunAction | 'secret' | 'infer';

/** Who acts. Each principal of it needs a permit of its own: the workflow, and the agent where there is one. */
export interface Actor {
  readonly tenant: string;
  /** On whose behalf: `key:ID`, `user:ID`, `service:NAME`; may be empty. */
  readonly actor: string;
  /** `namespace/name:version`. */
  readonly workflow: string;
  /** Name of the agent; empty when the workflow itself acts. */
  readonly agent: string;
}

/** Whether what a tool answers is somebody's private matter. */
export type DataClass = 'private' | 'public';

/** What is acted on. */
export type Target =
  | { readonly action: 'call'; readonly name: string; readonly pin: string; readonly effect: EffectClass; readonly data: DataClass; readonly source: string }
  /** `method`: of HTTP, `Service/Method` of gRPC, `publish` or `subscribe`, or the method of MCP or A2A. */
  | { readonly action: CallAction; readonly url: string; readonly method: string; readonly effect: EffectClass }
  /** `program`: the language of a script, `sh`, or the image of a container. */
  | { readonly action: RunAction; readonly program: string; readonly effect: EffectClass }
  | { readonly action: 'secret'; readonly name: string }
  | { readonly action: 'infer'; readonly id: string; readonly model: string; readonly endpoint: string };

/** The circumstances. */
export interface Circumstances {
  /** Labels of all that the execution has seen. */
  readonly taint: readonly string[];
  readonly purpose: string;
  /** What may still be spent; missing = unlimited. */
  readonly budget?: { readonly moneyMicros: number; readonly tokens: number; readonly calls: number } | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** JSON Pointer of the task. */
  readonly pointer: string;
}

export interface PermissionRequest {
  readonly by: Actor;
  readonly on: Target;
  readonly arguments: Json;
  readonly circumstances: Circumstances;
}

/** The class of a target: a model changes nothing, and a secret is only read. */
export const effectOf = (target: Target): EffectClass => ('effect' in target ? target.effect : 'read');

/** What a target is called in sentences, evidence and switches. */
export function targetName(target: Target): string {
  switch (target.action) {
    case 'call':
      return target.name;
    case 'infer':
      return target.id;
    case 'secret':
      return `secret:${target.name}`;
    case 'script':
    case 'shell':
    case 'container':
      return `run:${target.action}`;
    default:
      return `call:${target.action}`;
  }
}

/** `namespace/name` of a workflow with or without its version. */
export const workflowName = (workflow: string): string => workflow.split(':', 1)[0] ?? '';
