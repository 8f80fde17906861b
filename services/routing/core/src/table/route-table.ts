// The route table as it is written by people: which workflow answers which request, with which models.
import type { Json } from '@weft/kernel';

/**
 * What a model can be asked for. `json`: output that follows a schema; `tools`: calls of tools; `stream`: tokens as they come; `embeddings`: vectors of texts;
 * `vision`: images; `prefill`: to go on with an answer that has begun.
 */
export const CAPABILITIES = ['json', 'tools', 'stream', 'embeddings', 'vision', 'prefill'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** Protocols of providers. */
export const DIALECTS = ['openai', 'anthropic'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** One entry of the model catalogue. */
export interface CatalogueModel {
  /** Unique in the table; what routes prefer by. */
  readonly id: string;
  /** Base URL of the provider's endpoint, http or https: what stands before `/chat/completions` or `/messages`. */
  readonly endpoint: string;
  /** Its protocol: chat completions of OpenAI, or messages of Anthropic. Default `openai`. */
  readonly dialect?: Dialect;
  /** The provider's name of the model. */
  readonly model: string;
  /** Name of the secret that holds the API key; without it none is sent. */
  readonly keySecret?: string;
  /** Whether answers come from a scripted server and not from a model. Default false. */
  readonly simulated?: boolean;
  readonly capabilities: readonly Capability[];
  /** Privacy tier: a word that routes may demand, such as `internal` or `public`. */
  readonly tier?: string;
  /** Price in the deployment's currency per million tokens; without it the model ranks after all priced ones. */
  readonly pricePerMillionTokens?: { readonly input: number; readonly output: number };
  /** Tokens of a request and its answer together. */
  readonly contextTokens?: number;
  /** Tokens of an answer. */
  readonly outputTokensMax?: number;
  /** Length of its embeddings. */
  readonly dimensions?: number;
  /** What all processes together ask of the provider at most; what is absent is not limited. */
  readonly limits?: { readonly concurrency?: number; readonly requestsPerMinute?: number; readonly tokensPerMinute?: number };
}

/** When the next candidate is asked too: after a percentile of the latest answers of the one before, or after a fixed time. */
export interface HedgeChoice {
  /** 1 to 99. */
  readonly percentile?: number;
  /** Milliseconds; with a percentile it counts while too few answers are known. Default then 1,000. */
  readonly afterMs?: number;
}

/** What a request must look like. Every condition that is written must hold. */
export interface Condition {
  /** The event type, or a prefix of it followed by `*`. */
  readonly type: string;
  /** The event source, or a prefix of it followed by `*`. */
  readonly source?: string;
  readonly tenant?: string;
  /** JSON Pointers into the event's data, with the value that must stand there. */
  readonly data?: { readonly [pointer: string]: Json };
}

/** Which models may work for a route. */
export interface ModelChoice {
  /** Ids in order of preference; no other model is used. Without it every model that qualifies is used, cheapest first. */
  readonly prefer?: readonly string[];
  /** Capabilities that a model must have. */
  readonly require?: readonly Capability[];
  /** Privacy tiers that a model may have; without it any. */
  readonly tiers?: readonly string[];
  /** Without it a candidate is asked only after the one before has failed. */
  readonly hedge?: HedgeChoice;
}

/** One rule. The first that matches a request decides. */
export interface Route {
  readonly name: string;
  readonly when: Condition;
  /** Without a version, the latest at the time of the request. */
  readonly workflow: { readonly namespace: string; readonly name: string; readonly version?: string };
  /** Without it the executions get no model. */
  readonly models?: ModelChoice;
}

/** The table, version 1 of its format. */
export interface RouteTable {
  readonly version: 1;
  readonly models: readonly CatalogueModel[];
  readonly routes: readonly Route[];
}

/** A table without a route: every request is refused. */
export const EMPTY_TABLE: RouteTable = { version: 1, models: [], routes: [] };
