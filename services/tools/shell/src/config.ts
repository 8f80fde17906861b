import { kafkaSettings, platformSettings, operatorsSetting, runSettings } from '@weft/nest-platform';
import { isIP } from 'node:net';
import { z } from 'zod';
import { workerSettings } from './workers/worker-settings.js';
import { nat64Prefix } from './egress/address.js';

const listOf = (what: string, isOne: (text: string) => boolean) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .refine((all) => all.every(isOne), { message: `${what}, separated by commas` })
    .default([]);

const isOrigin = (text: string): boolean => /^https?:\/\/[^/?#@]+$/.test(text) && URL.canParse(text);
const isNetwork = (text: string): boolean => {
  const [address = '', bits = ''] = text.split('/');
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
};
const isServer = (text: string): boolean => isIP(text) !== 0 || /^(?:[\d.]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(text);

const labelList = z.string().transform((text) =>
  text
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== ''),
);

/** What tools itself is set up by, in every profile. */
export const toolsSettings = {
  WEFT_TOOLS_FILE: z.string().optional().describe('Path of the tool declarations (YAML). Without it there are no tools.'),
  WEFT_GRANTS_FILE: z.string().optional().describe('Path of the grants (YAML). Without it nothing is granted: every job is denied.'),
  WEFT_POLICIES_FILE: z.string().optional().describe('Path of Cedar policies, in force besides the grants. They are validated at the start.'),
  WEFT_WEBHOOKS_FILE: z.string().optional().describe('Path of the webhooks (YAML): who is told of reviews and other lifecycle events. Without it nobody is.'),
  ...operatorsSetting,
  WEFT_TRUSTED_LABELS: labelList
    .default([])
    .describe('Taint labels, separated by commas, that are no untrusted input, as the operator vouches for their source: such as request:/crm. `*` stands for any text.'),
  WEFT_BUDGETS_FILE: z.string().optional().describe('Path of the budgets (YAML), besides those that are set with `weft budgets set`.'),
  WEFT_BUDGET_LEASE_MS: z.coerce
    .number()
    .int()
    .min(500)
    .max(3_600_000)
    .default(30_000)
    .describe('How long what a job reserved of a budget outlives a crash, beyond the timeout of the job, in milliseconds; then it is freed or counts as spent.'),
  WEFT_TOOLS_CONCURRENCY: z.coerce.number().int().min(1).max(10_000).default(64).describe('Requests to tools, endpoints and models on their way at once.'),
  WEFT_MODEL_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000).describe('Time for one model candidate to answer, in milliseconds.'),
  WEFT_MODEL_STALL_MS: z.coerce.number().int().min(100).max(600_000).default(15_000).describe('Longest silence within an answer that streams before it counts as broken, in milliseconds.'),
  WEFT_CALL_TIMEOUT_MS: z.coerce.number().int().min(10).max(600_000).default(10_000).describe('Time for a `call: http` to answer, in milliseconds.'),
  ...runSettings,
  WEFT_AGENT_TIMEOUT_MS: z.coerce.number().int().min(100).max(3_600_000).default(120_000).describe('Time for the agent of a `call: a2a` to answer, streams to their end, in milliseconds.'),
  WEFT_SUBSCRIPTION_TIMEOUT_MS: z.coerce.number().int().min(100).max(3_600_000).default(60_000).describe('Longest that a subscription of a `call: asyncapi` collects messages, in milliseconds.'),
  WEFT_SCRIPT_TIMEOUT_MS: z.coerce.number().int().min(10).max(600_000).default(10_000).describe('Time for a `run: script` to end, in milliseconds.'),
  WEFT_PROCESS_TIMEOUT_MS: z.coerce.number().int().min(10).max(3_600_000).default(300_000).describe('Time for a `run: shell` or a `run: container` to end, in milliseconds.'),
  WEFT_SANDBOX_PROCESSES: z.coerce.number().int().min(1).max(256).default(2).describe('Scripts that run at once, each in a process of its own of about 60 MB.'),
  WEFT_EGRESS_ALLOW: listOf('origins of the form scheme://host:port', isOrigin).describe(
    'Origins (scheme://host:port, separated by commas) that `call: http` may reach, and the only ones besides declared tools that may be plain http or private.',
  ),
  WEFT_EGRESS_PRIVATE: listOf('networks in CIDR notation', isNetwork).describe(
    'Private networks (CIDR, separated by commas) in which names that are listed or declared may lie. Without it they must be public; a listed address needs no entry here.',
  ),
  WEFT_EGRESS_NAT64: listOf('NAT64 prefixes such as 2001:db8:64::/96', (text) => nat64Prefix(text) !== undefined).describe(
    'NAT64 prefixes (RFC 6052) of your network besides 64:ff9b::/96: addresses in them are judged by the IPv4 address that they stand for.',
  ),
  WEFT_EGRESS_DNS: listOf('addresses of name servers, with or without a port', isServer).describe(
    'Name servers (address or address:port, separated by commas) that egress asks. Without it: as the system resolves.',
  ),
  ...workerSettings,
} as const;

/** The configuration of a tools process of the mesh. Secrets are read by name from WEFT_SECRET_NAME when they are needed. */
export const toolsConfig = z.object({
  ...platformSettings,
  ...toolsSettings,
  WEFT_PORT: z.coerce.number().int().min(0).max(65_535).default(8084).describe('Port of health and readiness.'),
  WEFT_HOST: z.string().default('127.0.0.1').describe('Address to listen on for HTTP.'),
  WEFT_GRPC_ADDRESS: z.string().default('127.0.0.1:9084').describe('Address to listen on for gRPC, host:port.'),
  WEFT_STORE_URL: z.string().describe('PostgreSQL: postgres://host:port/database. Tools logs in as its own engine role.'),
  WEFT_STORE_PASSWORD: z.string().optional().describe("Password of tools' engine role."),
  WEFT_REDIS: z
    .string()
    .optional()
    .describe('Redis, host:port: limits of models then count over all replicas, and their tokens reach the gateway. Without it each replica counts for itself, and answers come whole.'),
  WEFT_MODEL_LIMIT_SHARE: z.coerce.number().gt(0).max(1).default(0.5).describe('Part of the limits of a model that this replica keeps to while Redis does not answer, above 0 up to 1.'),
  WEFT_KAFKA: z.string().describe('Kafka brokers, host:port, separated by commas.'),
  ...kafkaSettings,
});

export type ToolsSettings = Readonly<z.output<z.ZodObject<typeof toolsSettings>>>;
