// Every name that telemetry shows, once: spans, span attributes, metrics, log fields.

/** Span names. What varies (topic, method, model) is an attribute, so that spans group. */
export const SPAN = {
  /** The door: from the request to its 202, or to its answer. */
  request: 'weft.request',
  /** A route was chosen. */
  select: 'weft.route.select',
  /** A whole execution, from its start to its end; recorded when it ends. */
  execution: 'weft.execution',
  /** One attempt of a job, as its worker sees it. */
  job: 'weft.job',
  recall: 'weft.memory.recall',
  remember: 'weft.memory.remember',
  toolCall: 'weft.tool.call',
  /** A model call. Source: GenAI conventions, operation `chat`. */
  infer: 'chat',
  validate: 'weft.validate',
  review: 'weft.review',
  /** Commit rows were written into the log. */
  sequence: 'weft.audit.sequence',
  publish: 'weft.publish',
  consume: 'weft.consume',
} as const;

/** Span attributes that carry the context. Names of OpenTelemetry stay as that standard says them. */
export const ATTRIBUTE = {
  tenant: 'weft.tenant',
  execution: 'weft.execution.id',
  request: 'weft.request.id',
  job: 'weft.job.id',
  attempt: 'weft.job.attempt',
  workflow: 'weft.workflow',
  task: 'weft.task',
  route: 'weft.route',
  tool: 'weft.tool',
  verdict: 'weft.verdict',
  rejection: 'weft.rejection.code',
  batchSize: 'weft.batch.size',
  serviceName: 'service.name',
  rpcSystem: 'rpc.system',
  rpcService: 'rpc.service',
  rpcMethod: 'rpc.method',
  messagingSystem: 'messaging.system',
  messagingDestination: 'messaging.destination.name',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
} as const;

/** GenAI conventions of OpenTelemetry, status "Development": this is the one place that knows their names. */
export const GEN_AI = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  finishReasons: 'gen_ai.response.finish_reasons',
} as const;

/** Metric names. Units last, as in all names of Weft. */
export const METRIC = {
  decisions: 'weft.decisions',
  decisionsIgnored: 'weft.decisions.ignored',
  rejections: 'weft.rejections',
  deadLetters: 'weft.dead_letters',
  batchSize: 'weft.batch.size',
  commitMs: 'weft.commit.ms',
  lanesWaiting: 'weft.lanes.waiting',
  executionsRunning: 'weft.executions.running',
  jobsOutstanding: 'weft.jobs.outstanding',
} as const;

/** Field names of a log line. */
export const LOG_FIELD = {
  time: 'time',
  level: 'level',
  service: 'service',
  message: 'message',
  tenant: 'tenant',
  execution: 'execution',
  job: 'job',
  trace: 'trace',
  error: 'error',
} as const;
