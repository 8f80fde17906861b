// Calls that are answered from a file instead of being made, in a Weft that runs a document and is thrown away.
import { readFileSync } from 'node:fs';
import { commandEnvelope, completedCommand, failedCommand, type Command, type Context, type Job, type WorkerPeer } from '@weft/contracts';
import { isJsonObject, Refused, rejection, type Failure, type Json } from '@weft/kernel';
import { outgoing, type Bus, type Outgoing } from '@weft/pipeline';
import { AnswerBook, ERROR_TYPES, readAnswers, type AnsweredError, type AnswersReading } from '@weft/workflow';
import { SimulatedResources } from './simulated-resources.js';

/** What stays on this machine: done in earnest unless it is answered. */
const LOCAL_KINDS: ReadonlySet<string> = new Set(['validate', 'remember', 'recall', 'script']);

/** A call that would have left this machine. */
export interface SimulatedCall {
  readonly kind: string;
  /** Pointer of the task that makes it. */
  readonly pointer: string;
  /** Whether an answer fits: without one it fails. */
  readonly answered: boolean;
}

export interface SimulatedOptions {
  /** Told of each call that is answered, once for each delivery. */
  readonly onCall: (call: SimulatedCall) => void;
  /** Whether scripts in Python can be run here. */
  readonly runsPython: boolean;
}

/** @throws Refused for a file that cannot be read as answers. */
export function simulatedCalls(file: string, options: SimulatedOptions): SimulatedCalls {
  const reading = readAnswers(readFileSync(file, 'utf8'));
  if (!reading.ok) throw new Refused(reading.rejections[0]!);
  return new SimulatedCalls(reading, options);
}

export class SimulatedCalls {
  readonly #book: AnswerBook;
  /** What documents refer to, which is not fetched either. */
  readonly resources: SimulatedResources;

  constructor(
    { answers, resources }: Extract<AnswersReading, { ok: true }>,
    private readonly options: SimulatedOptions,
  ) {
    this.#book = new AnswerBook(answers);
    this.resources = new SimulatedResources(resources);
  }

  workers<W extends object>(real: W & { readonly [K in keyof W]: WorkerPeer }): W {
    return Object.fromEntries(Object.entries<WorkerPeer>(real).map(([name, worker]) => [name, this.#worker(worker)])) as W;
  }

  /** A worker that does in earnest only what stays on this machine and has no answer. */
  #worker(real: WorkerPeer): WorkerPeer {
    const answer = (job: Job): Command | undefined => this.#answer(job);
    const inPlace = (job: Job): Job => this.#inPlace(job);
    return {
      async *carryOut({ jobs }, context: Context) {
        const commands = jobs.map((job) => ({ job, command: answer(job) }));
        const answered = commands.flatMap(({ command }) => command ?? []);
        if (answered.length > 0) yield { commands: answered };
        const left = commands.flatMap(({ job, command }) => (command === undefined ? [job] : []));
        if (left.length > 0) yield* real.carryOut({ jobs: left.map(inPlace) }, context);
      },
    };
  }

  /** The bus as orchestration sees it: long jobs are answered where they would have been buffered. */
  bus(real: Bus): Bus {
    return {
      publish: (messages) => real.publish(messages.map((message) => this.#answeredMessage(message))),
      subscribe: (options) => real.subscribe(options),
      close: () => real.close(),
    };
  }

  #answeredMessage(message: Outgoing): Outgoing {
    if (!message.envelope.type.startsWith('ai.weft.job.')) return message;
    const job = message.envelope.body as Job;
    const command = this.#answer(job);
    return command === undefined ? { ...message, envelope: { ...message.envelope, body: this.#inPlace(job) } } : outgoing('commands', commandEnvelope(command, '/weft/run'));
  }

  /** A script finds its source in its job, as nothing is fetched. */
  #inPlace(job: Job): Job {
    return job.kind === 'script' ? { ...job, inputJson: JSON.stringify(this.resources.inPlace(JSON.parse(job.inputJson) as Json)) } : job;
  }

  #isLocal(kind: string, given: Json): boolean {
    const isPython = kind === 'script' && isJsonObject(given) && given['language'] === 'python';
    return LOCAL_KINDS.has(kind) && (!isPython || this.options.runsPython);
  }

  #answer(job: Job): Command | undefined {
    const { kind, pointer } = job;
    const given = JSON.parse(job.inputJson) as Json;
    const answering = this.#book.answer({ id: `${job.id}/${job.generation}/${job.context?.attempt ?? 1}`, pointer, kind, arguments: given });
    if (answering === undefined && this.#isLocal(kind, given)) return undefined;
    this.options.onCall({ kind, pointer, answered: answering !== undefined });
    if (answering === undefined) return failedCommand(job, rejection('not-configured', `Expected an answer for the \`${kind}\` call of ${pointer} but none fits ${shown(given)}.`));
    return 'output' in answering ? completedCommand(job, answering.output) : failedCommand(job, failureOf(answering.error));
  }
}

const CHARACTERS_MAX = 500;
const shown = (value: Json): string => {
  const text = JSON.stringify(value);
  return text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text;
};

/** The title of an error that a call raises is the code of its failure. */
function failureOf({ type, status, title = 'simulated', detail = 'Simulated.' }: AnsweredError): Failure {
  const errorType = Object.entries(ERROR_TYPES).find(([, standard]) => standard.type === type)![0];
  return { code: title, message: detail, retryable: false, details: { errorType, ...(status === undefined ? {} : { status }) } };
}
