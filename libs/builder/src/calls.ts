// Calls of the standard: of services by their protocols, and of functions by name.
import type { Subscription } from './events.js';
import { standardTask, type Duration, type Resource, type TaskOptions, type TaskWith } from './task.js';
import type { Text, Value, Values } from './value.js';

type Login = { readonly username: Text; readonly password: Text } | SecretUse;
/** The name of a secret that holds the policy. */
interface SecretUse {
  readonly use: string;
}

/** A token for an OAuth 2.0 token exchange. */
interface Token {
  readonly token: Text;
  readonly type: Text;
}

/** How a token is asked for. */
export interface OAuth2 {
  readonly authority?: Text;
  readonly grant?: 'authorization_code' | 'client_credentials' | 'password' | 'refresh_token' | 'urn:ietf:params:oauth:grant-type:token-exchange';
  readonly client?: {
    readonly id?: Text;
    readonly secret?: Text;
    readonly assertion?: Text;
    readonly authentication?: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'none';
  };
  readonly request?: { readonly encoding?: 'application/x-www-form-urlencoded' | 'application/json' };
  readonly issuers?: readonly Text[];
  readonly scopes?: readonly Text[];
  readonly audiences?: readonly Text[];
  readonly username?: Text;
  readonly password?: Text;
  readonly subject?: Token;
  readonly actor?: Token;
}

/** Who calls, as the standard's policies say it. */
export type Authentication =
  | { readonly basic: Login }
  | { readonly bearer: { readonly token: Text } | SecretUse }
  | { readonly digest: Login }
  | { readonly oauth2: (OAuth2 & { readonly endpoints?: { readonly token?: Text; readonly revocation?: Text; readonly introspection?: Text } }) | SecretUse }
  | { readonly oidc: OAuth2 | SecretUse };

/** A policy, or the name of one in `use.authentications`. */
export type AuthenticationUse = Authentication | { readonly use: string };

/** A URI template, an expression, or either with authentication. */
export type Endpoint = Text | { readonly uri: Text; readonly authentication?: AuthenticationUse };

/** What of an HTTP answer is given. Default `content`. */
export type HttpOutput = 'raw' | 'content' | 'response';

export interface HttpArguments {
  readonly method: Text;
  readonly endpoint: Endpoint;
  readonly headers?: Text | { readonly [name: string]: Text };
  readonly query?: Text | { readonly [name: string]: Text };
  readonly body?: Value;
  readonly output?: HttpOutput;
  /** Whether a redirect is a success. Default false. */
  readonly redirect?: boolean;
}

export interface OpenApiArguments {
  readonly document: Resource;
  readonly operationId: Text;
  readonly parameters?: Values;
  readonly authentication?: AuthenticationUse;
  readonly output?: HttpOutput;
  readonly redirect?: boolean;
}

export interface GrpcArguments {
  readonly proto: Resource;
  readonly service: { readonly name: Text; readonly host: Text; readonly port?: number; readonly authentication?: AuthenticationUse };
  readonly method: Text;
  readonly arguments?: Values;
}

export interface AsyncApiArguments {
  readonly document: Resource;
  /** For documents of AsyncAPI 2. */
  readonly channel?: Text;
  /** For documents of AsyncAPI 3. */
  readonly operation?: Text;
  readonly server?: { readonly name: Text; readonly variables?: Values };
  readonly protocol?: string;
  readonly message?: { readonly payload?: Value; readonly headers?: Values };
  readonly subscription?: Subscription;
  readonly authentication?: AuthenticationUse;
}

export interface McpArguments {
  readonly protocolVersion?: Text;
  readonly method: 'tools/list' | 'tools/call' | 'prompts/list' | 'prompts/get' | 'resources/list' | 'resources/read' | 'resources/templates/list';
  readonly parameters?: Values | Text;
  readonly timeout?: Duration;
  readonly transport: { readonly options?: Values } & (
    | { readonly http: { readonly endpoint: Endpoint; readonly headers?: { readonly [name: string]: Text } } }
    | { readonly stdio: { readonly command: Text; readonly arguments?: readonly Text[]; readonly environment?: { readonly [name: string]: Text } } }
  );
  readonly client?: Values;
}

export interface A2aArguments {
  readonly agentCard?: Resource;
  readonly server?: Endpoint;
  readonly method: Text;
  readonly parameters?: Values | Text;
}

/** A call with typed arguments; say what it gives as `http<Pet>(...)`. */
const caller =
  <A>(call: string) =>
  <Output = unknown, const O extends TaskOptions = object>(args: A, options?: O): TaskWith<O, Output> =>
    standardTask({ call, with: args, ...options }) as TaskWith<O, Output>;

export const http = caller<HttpArguments>('http');
export const openapi = caller<OpenApiArguments>('openapi');
export const grpc = caller<GrpcArguments>('grpc');
export const asyncapi = caller<AsyncApiArguments>('asyncapi');
export const mcp = caller<McpArguments>('mcp');
export const a2a = caller<A2aArguments>('a2a');

/** A function by name: of `use.functions`, of a catalog (`name:version@catalog`), or at a URL. */
export const call = <Output = unknown, const O extends TaskOptions = object>(name: string, args?: Values, options?: O): TaskWith<O, Output> =>
  standardTask({ call: name, with: args, ...options }) as TaskWith<O, Output>;
