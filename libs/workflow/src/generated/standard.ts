// Types of documents of the Open Workflow Specification 1.0.3. Generated from its schema: do not edit.
// Made anew by: RECORD_TYPES=1 npx vitest run libs/workflow/src/generated
import type { Json, JsonObject } from '@weft/kernel';

export type StandardWorkflow = {
  readonly document: {
    readonly dsl: string;
    readonly namespace: string;
    readonly name: string;
    readonly version: string;
    readonly title?: string;
    readonly summary?: string;
    readonly tags?: JsonObject;
    readonly metadata?: JsonObject;
  };
  readonly input?: Input;
  readonly use?: {
    readonly authentications?: Readonly<Record<string, AuthenticationPolicy>>;
    readonly errors?: Readonly<Record<string, Error>>;
    readonly extensions?: readonly Readonly<Record<string, Extension>>[];
    readonly functions?: Readonly<Record<string, Task>>;
    readonly retries?: Readonly<Record<string, RetryPolicy>>;
    readonly secrets?: readonly string[];
    readonly timeouts?: Readonly<Record<string, Timeout>>;
    readonly catalogs?: Readonly<Record<string, Catalog>>;
  };
  readonly do: TaskList;
  readonly timeout?: Timeout | string;
  readonly output?: Output;
  readonly schedule?: {
    readonly every?: Duration;
    readonly cron?: string;
    readonly after?: Duration;
    readonly on?: EventConsumptionStrategy;
  };
};

export type TaskList = readonly Readonly<Record<string, Task>>[];

export type TaskBase = {
  readonly if?: string;
  readonly input?: Input;
  readonly output?: Output;
  readonly export?: Export;
  readonly timeout?: Timeout | string;
  readonly then?: FlowDirective;
  readonly metadata?: JsonObject;
};

export type Task = CallTask | DoTask | ForkTask | EmitTask | ForTask | ListenTask | RaiseTask | RunTask | SetTask | SwitchTask | TryTask | WaitTask;

export type CallTask = (TaskBase & {
  readonly call: 'asyncapi';
  readonly with: {
    readonly document?: ExternalResource;
    readonly channel?: string;
    readonly operation?: string;
    readonly server?: AsyncApiServer;
    readonly protocol?: 'amqp' | 'amqp1' | 'anypointmq' | 'googlepubsub' | 'http' | 'ibmmq' | 'jms' | 'kafka' | 'mercure' | 'mqtt' | 'mqtt5' | 'nats' | 'pulsar' | 'redis' | 'sns' | 'solace' | 'sqs' | 'stomp' | 'ws';
    readonly message?: AsyncApiOutboundMessage;
    readonly subscription?: AsyncApiSubscription;
    readonly authentication?: ReferenceableAuthenticationPolicy;
  };
}) | (TaskBase & {
  readonly call: 'grpc';
  readonly with: {
    readonly proto: ExternalResource;
    readonly service: {
      readonly name: string;
      readonly host: string;
      readonly port?: number;
      readonly authentication?: ReferenceableAuthenticationPolicy;
    };
    readonly method: string;
    readonly arguments?: JsonObject;
  };
}) | (TaskBase & {
  readonly call: 'http';
  readonly with: {
    readonly method: string;
    readonly endpoint: Endpoint;
    readonly headers?: Readonly<Record<string, string>> | RuntimeExpression;
    readonly body?: Json;
    readonly query?: Readonly<Record<string, string>> | RuntimeExpression;
    readonly output?: 'raw' | 'content' | 'response';
    readonly redirect?: boolean;
  };
}) | (TaskBase & {
  readonly call: 'openapi';
  readonly with: {
    readonly document: ExternalResource;
    readonly operationId: string;
    readonly parameters?: JsonObject;
    readonly authentication?: ReferenceableAuthenticationPolicy;
    readonly output?: 'raw' | 'content' | 'response';
    readonly redirect?: boolean;
  };
}) | (TaskBase & {
  readonly call: 'a2a';
  readonly with: {
    readonly agentCard?: ExternalResource;
    readonly server?: Endpoint;
    readonly method: 'message/send' | 'message/stream' | 'tasks/get' | 'tasks/list' | 'tasks/cancel' | 'tasks/resubscribe' | 'tasks/pushNotificationConfig/set' | 'tasks/pushNotificationConfig/get' | 'tasks/pushNotificationConfig/list' | 'tasks/pushNotificationConfig/delete' | 'agent/getAuthenticatedExtendedCard';
    readonly parameters?: JsonObject | string;
  };
}) | (TaskBase & {
  readonly call: 'mcp';
  readonly with: {
    readonly protocolVersion?: string;
    readonly method: 'tools/list' | 'tools/call' | 'prompts/list' | 'prompts/get' | 'resources/list' | 'resources/read' | 'resources/templates/list';
    readonly parameters?: JsonObject | string;
    readonly timeout?: Duration;
    readonly transport: {
      readonly http?: {
        readonly endpoint: Endpoint;
        readonly headers?: Readonly<Record<string, string>>;
      };
      readonly stdio?: {
        readonly command: string;
        readonly arguments?: readonly string[];
        readonly environment?: Readonly<Record<string, string>>;
      };
      readonly options?: Readonly<Record<string, string>>;
    };
    readonly client?: {
      readonly name: string;
      readonly description?: string;
    };
  };
}) | (TaskBase & {
  readonly call: string;
  readonly with?: JsonObject;
});

export type ForkTask = TaskBase & {
  readonly fork: {
    readonly branches: TaskList;
    readonly compete?: boolean;
  };
};

export type DoTask = TaskBase & {
  readonly do: TaskList;
};

export type EmitTask = TaskBase & {
  readonly emit: {
    readonly event: {
      readonly with?: EventProperties;
      readonly [name: string]: unknown;
    };
  };
};

export type ForTask = TaskBase & {
  readonly for: {
    readonly each?: string;
    readonly in: string;
    readonly at?: string;
  };
  readonly while?: string;
  readonly do: TaskList;
};

export type ListenTask = TaskBase & {
  readonly listen: {
    readonly to: EventConsumptionStrategy;
    readonly read?: 'data' | 'envelope' | 'raw';
  };
  readonly foreach?: SubscriptionIterator;
};

export type RaiseTask = TaskBase & {
  readonly raise: {
    readonly error: Error | string;
  };
};

export type RunTask = TaskBase & {
  readonly run: {
    readonly await?: boolean;
    readonly return?: 'stdout' | 'stderr' | 'code' | 'all' | 'none';
  } & ({
    readonly container: {
      readonly image: string;
      readonly name?: string;
      readonly command?: string;
      readonly ports?: JsonObject;
      readonly volumes?: JsonObject;
      readonly environment?: JsonObject;
      readonly stdin?: string;
      readonly arguments?: readonly string[];
      readonly lifetime?: ContainerLifetime;
      readonly pullPolicy?: 'ifNotPresent' | 'always' | 'never';
    };
  } | {
    readonly script: {
      readonly language: string;
      readonly stdin?: string;
      readonly arguments?: readonly string[];
      readonly environment?: JsonObject;
    } & ({
      readonly code: string;
    } | {
      readonly source: ExternalResource;
    });
  } | {
    readonly shell: {
      readonly command: string;
      readonly stdin?: string;
      readonly arguments?: readonly string[];
      readonly environment?: JsonObject;
    };
  } | {
    readonly workflow: {
      readonly namespace: string;
      readonly name: string;
      readonly version: string;
      readonly input?: JsonObject;
    };
  });
};

export type SetTask = TaskBase & {
  readonly set: JsonObject | string;
};

export type SwitchTask = TaskBase & {
  readonly switch: readonly Readonly<Record<string, {
    readonly when?: string;
    readonly then: FlowDirective;
  }>>[];
};

export type TryTask = TaskBase & {
  readonly try: TaskList;
  readonly catch: {
    readonly errors?: {
      readonly with?: ErrorFilter;
    };
    readonly as?: string;
    readonly when?: string;
    readonly exceptWhen?: string;
    readonly retry?: RetryPolicy | string;
    readonly do?: TaskList;
  };
};

export type WaitTask = TaskBase & {
  readonly wait: Duration;
};

export type FlowDirective = ('continue' | 'exit' | 'end') | string;

export type ReferenceableAuthenticationPolicy = {
  readonly use: string;
} | AuthenticationPolicy;

export type SecretBasedAuthenticationPolicy = {
  readonly use: string;
};

export type AuthenticationPolicy = {
  readonly basic: {
    readonly username: string;
    readonly password: string;
  } | SecretBasedAuthenticationPolicy;
} | {
  readonly bearer: {
    readonly token: string;
  } | SecretBasedAuthenticationPolicy;
} | {
  readonly digest: {
    readonly username: string;
    readonly password: string;
  } | SecretBasedAuthenticationPolicy;
} | {
  readonly oauth2: ({
    readonly endpoints?: {
      readonly token?: string;
      readonly revocation?: string;
      readonly introspection?: string;
    };
  } & Oauth2AuthenticationProperties) | SecretBasedAuthenticationPolicy;
} | {
  readonly oidc: Oauth2AuthenticationProperties | SecretBasedAuthenticationPolicy;
};

export type Oauth2AuthenticationProperties = {
  readonly authority?: UriTemplate;
  readonly grant?: 'authorization_code' | 'client_credentials' | 'password' | 'refresh_token' | 'urn:ietf:params:oauth:grant-type:token-exchange';
  readonly client?: {
    readonly id?: string;
    readonly secret?: string;
    readonly assertion?: string;
    readonly authentication?: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'none';
  };
  readonly request?: {
    readonly encoding?: 'application/x-www-form-urlencoded' | 'application/json';
  };
  readonly issuers?: readonly string[];
  readonly scopes?: readonly string[];
  readonly audiences?: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly subject?: Oauth2Token;
  readonly actor?: Oauth2Token;
};

export type Oauth2Token = {
  readonly token: string;
  readonly type: string;
};

export type Duration = {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
} | RuntimeExpression | string;

export type Error = {
  readonly type: UriTemplate | RuntimeExpression;
  readonly status: number;
  readonly instance?: string | RuntimeExpression;
  readonly title?: RuntimeExpression | string;
  readonly detail?: RuntimeExpression | string;
};

export type ErrorFilter = {
  readonly type?: string;
  readonly status?: number;
  readonly instance?: string;
  readonly title?: string;
  readonly details?: string;
};

export type UriTemplate = string;

export type Endpoint = RuntimeExpression | UriTemplate | {
  readonly uri: UriTemplate | RuntimeExpression;
  readonly authentication?: ReferenceableAuthenticationPolicy;
};

export type EventProperties = {
  readonly id?: string;
  readonly source?: UriTemplate | RuntimeExpression;
  readonly type?: string;
  readonly time?: string | RuntimeExpression;
  readonly subject?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: UriTemplate | RuntimeExpression;
  readonly data?: RuntimeExpression;
  readonly [name: string]: unknown;
};

export type EventConsumptionStrategy = {
  readonly all: readonly EventFilter[];
} | {
  readonly any: readonly EventFilter[];
  readonly until?: string | (EventConsumptionStrategy & {
    readonly until?: undefined;
  });
} | {
  readonly one: EventFilter;
};

export type EventFilter = {
  readonly with: EventProperties;
  readonly correlate?: Readonly<Record<string, {
    readonly from: string;
    readonly expect?: string;
  }>>;
};

export type Extension = {
  readonly extend: 'call' | 'composite' | 'emit' | 'for' | 'listen' | 'raise' | 'run' | 'set' | 'switch' | 'try' | 'wait' | 'all';
  readonly when?: string;
  readonly before?: TaskList;
  readonly after?: TaskList;
};

export type ExternalResource = {
  readonly name?: string;
  readonly endpoint: Endpoint;
};

export type Input = {
  readonly schema?: Schema;
  readonly from?: string | JsonObject;
};

export type Output = {
  readonly schema?: Schema;
  readonly as?: string | JsonObject;
};

export type Export = {
  readonly schema?: Schema;
  readonly as?: string | JsonObject;
};

export type RetryPolicy = {
  readonly when?: string;
  readonly exceptWhen?: string;
  readonly delay?: Duration;
  readonly backoff?: {
    readonly constant: JsonObject;
  } | {
    readonly exponential: JsonObject;
  } | {
    readonly linear: JsonObject;
  };
  readonly limit?: {
    readonly attempt?: {
      readonly count?: number;
      readonly duration?: Duration;
    };
    readonly duration?: Duration;
  };
  readonly jitter?: {
    readonly from: Duration;
    readonly to: Duration;
  };
};

export type Schema = {
  readonly format?: string;
} & ({
  readonly document: Json;
} | {
  readonly resource: ExternalResource;
});

export type Timeout = {
  readonly after: Duration;
};

export type Catalog = {
  readonly endpoint: Endpoint;
};

export type RuntimeExpression = string;

export type ContainerLifetime = {
  readonly cleanup: 'always' | 'never' | 'eventually';
  readonly after?: Duration;
};

export type ProcessResult = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

export type AsyncApiServer = {
  readonly name: string;
  readonly variables?: JsonObject;
};

export type AsyncApiOutboundMessage = {
  readonly payload?: JsonObject;
  readonly headers?: JsonObject;
};

export type AsyncApiInboundMessage = AsyncApiOutboundMessage & {
  readonly correlationId?: string;
};

export type AsyncApiSubscription = {
  readonly filter?: RuntimeExpression;
  readonly consume: AsyncApiMessageConsumptionPolicy;
  readonly foreach?: SubscriptionIterator;
};

export type AsyncApiMessageConsumptionPolicy = {
  readonly for?: Duration;
} & ({
  readonly amount: number;
} | {
  readonly while: RuntimeExpression;
} | {
  readonly until: RuntimeExpression;
});

export type SubscriptionIterator = {
  readonly item?: string;
  readonly at?: string;
  readonly do?: TaskList;
  readonly output?: Output;
  readonly export?: Export;
};
