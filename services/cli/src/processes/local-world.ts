// What a Weft on this machine works with: route table, tools and grants, and the outside world behind them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';
import { inRoot } from '../paths.js';
import { startMailProvider, startScriptedModel, type StandIn } from './stand-in.js';

/** The model provider that the environment names. */
export interface Provider {
  /** Base URL of an OpenAI-compatible endpoint. */
  readonly endpoint: string;
  readonly model: string;
  /** Name of the secret with its key; the variable is WEFT_SECRET_ and this name. */
  readonly keySecret?: string;
}

/** Where the stand-ins are, and who answers for the models. */
export interface Outside {
  readonly modelUrl: string;
  readonly mailUrl: string;
  readonly provider?: Provider;
}

export interface LocalWorld {
  /** Settings for Weft's processes. */
  readonly env: Readonly<Record<string, string>>;
  /** Says in a sentence who answers for the models. */
  readonly modelsSaid: string;
  readonly isSimulated: boolean;
  /** One line of JSON for each mail. */
  readonly mailFile: string;
  stop(): Promise<void>;
}

export interface LocalWorldOptions {
  /** Folder for configuration, logs and the mail file. */
  readonly home: string;
  /** How long the mail provider keeps its answer back, in milliseconds. */
  readonly mailAnswerMs?: number;
  /** Settings that the user made: files named there are used as they are. Default: this process's environment. */
  readonly given?: Readonly<Record<string, string | undefined>>;
}

/** Folder of the configuration that Weft starts with on a developer's machine. */
const CONFIG = inRoot('deploy', 'local');
const SCRIPT = inRoot('examples', 'complaint-triage', 'model-script.json');
/** Origins that the configuration files name; the stand-ins listen on free ports instead. */
const MODEL_ORIGIN = 'http://127.0.0.1:7430';
const MAIL_ORIGIN = 'http://127.0.0.1:7431';
/** The model that the script declares busy: it shows a fallback, so no provider takes its place. */
const BUSY_MODEL = 'fast';

/** The provider in WEFT_MODEL_ENDPOINT and WEFT_MODEL, with its key in WEFT_SECRET_MODEL; undefined without the two. */
export function providerIn(env: Readonly<Record<string, string | undefined>>): Provider | undefined {
  const { WEFT_MODEL_ENDPOINT: endpoint, WEFT_MODEL: model } = env;
  if (!endpoint || !model) return undefined;
  return { endpoint, model, ...(env['WEFT_SECRET_MODEL'] ? { keySecret: 'MODEL' } : {}) };
}

/** Starts the stand-ins and writes the configuration that points to them. */
export async function startLocalWorld({ home, mailAnswerMs = 0, given = process.env }: LocalWorldOptions): Promise<LocalWorld> {
  const [run, logs, mail] = [join(home, 'run', 'config'), join(home, 'logs'), join(home, 'mail')];
  for (const folder of [run, logs, mail]) mkdirSync(folder, { recursive: true });
  const mailFile = join(mail, 'sent.jsonl');
  const provider = providerIn(given);
  const standIns: StandIn[] = [];
  try {
    standIns.push(await startScriptedModel(SCRIPT, join(logs, 'scripted-model.log')), await startMailProvider(mailFile, join(logs, 'mail-provider.log'), mailAnswerMs));
  } catch (fault) {
    await Promise.all(standIns.map((one) => one.stop()));
    throw fault;
  }
  const outside: Outside = { modelUrl: standIns[0]!.url, mailUrl: standIns[1]!.url, ...(provider ? { provider } : {}) };
  const write = (name: string, rewrite: (text: string) => string): string => {
    const file = join(run, name);
    writeFileSync(file, rewrite(readFileSync(join(CONFIG, name), 'utf8')));
    return file;
  };
  const allowed = [given['WEFT_EGRESS_ALLOW'], outside.modelUrl, provider && new URL(provider.endpoint).origin].filter(Boolean).join(',');
  return {
    env: {
      WEFT_ROUTES_FILE: given['WEFT_ROUTES_FILE'] || write('routes.yaml', (text) => routesFor(text, outside)),
      WEFT_TOOLS_FILE: given['WEFT_TOOLS_FILE'] || write('tools.yaml', (text) => text.replaceAll(MAIL_ORIGIN, outside.mailUrl)),
      WEFT_GRANTS_FILE: given['WEFT_GRANTS_FILE'] || join(CONFIG, 'grants.yaml'),
      WEFT_EGRESS_ALLOW: allowed,
    },
    isSimulated: provider === undefined,
    modelsSaid: provider === undefined ? 'a simulated model: answers come from a script' : `${provider.model} at ${provider.endpoint}; only the busy model is simulated`,
    mailFile,
    stop: async () => void (await Promise.all(standIns.map((one) => one.stop()))),
  };
}

/** The route table with its simulated models where the stand-in is, or at the provider when there is one. */
export function routesFor(text: string, { modelUrl, provider }: Outside): string {
  const document: Document = parseDocument(text);
  const models = document.toJS() as { readonly models?: readonly { readonly id: string; readonly endpoint: string; readonly simulated?: boolean }[] };
  (models.models ?? []).forEach(({ id, endpoint, simulated }, index) => {
    if (simulated !== true) return;
    if (provider === undefined || id === BUSY_MODEL) return document.setIn(['models', index, 'endpoint'], endpoint.replace(MODEL_ORIGIN, modelUrl));
    document.setIn(['models', index, 'endpoint'], provider.endpoint);
    document.setIn(['models', index, 'model'], provider.model);
    document.setIn(['models', index, 'simulated'], false);
    // What a provider costs is not known here, and nobody else's price stands in for it.
    document.deleteIn(['models', index, 'pricePerMillionTokens']);
    if (provider.keySecret !== undefined) document.setIn(['models', index, 'keySecret'], provider.keySecret);
  });
  return document.toString({ lineWidth: 0 });
}
