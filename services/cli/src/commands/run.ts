// `weft run`: a document, its answer, and nothing left behind.
import { isJsonObject, type Json } from '@weft/kernel';
import { readAnswers, readSource } from '@weft/workflow';
import { InvalidArgumentError, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { isEnded } from '../client/shapes.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer } from '../output/print.js';
import { interruptible } from '../processes/interruption.js';
import { runDocuments } from '../run/run-documents.js';
import { readDocument } from '../documents/read-document.js';
import { readInput, withExamples } from './command.js';
import { jsonOption } from './json-option.js';

interface RunFlags {
  readonly input: Json;
  readonly event: readonly string[];
  readonly timeout: number;
  readonly fake?: string;
  readonly skipTime?: boolean;
  readonly quiet?: boolean;
}

const TIMEOUT_MS = 30_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .description('Run a workflow document in a Weft of its own that is thrown away; prints its output, or its fault and exits with 1')
    .argument('<file...>', 'the document; further files are published along, for what it calls')
    .option('--input <json>', 'its input, as JSON; @FILE reads it from a file, - from standard input', inputOption, null)
    .option('--event <json>', 'a CloudEvent for what it listens to, as JSON or @FILE; several times; id, source and time are filled in', eventOption, [])
    .option('--timeout <duration>', 'how long it may take, such as 500ms, 30s or 2m', durationOption, TIMEOUT_MS)
    .option('--fake <file>', 'answers (YAML) for what leaves the machine: no call is made, one without an answer fails')
    .option('--skip-time', 'waits, retries and timeouts take no time: the clock goes on to the next one')
    .option('--quiet', 'says nothing but the output')
    .action(run);
  withExamples(command, [
    ['./weft run order.yaml --input \'{"order": 42}\'', 'the output as JSON on standard output'],
    ['./weft run parent.yaml child.yaml', 'the first is run, the second is there for it'],
    [`./weft run wait-for-payment.yaml --event '{"type": "com.example.paid.v1", "source": "/x", "id": "1", "data": 5}'`, 'feeds what it listens to'],
    ['./weft run order.yaml --fake answers.yaml --skip-time', 'calls nobody and waits for nothing'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 it completed, 1 it faulted or did not end in time (the fault is on standard output, as JSON), 2 a file or an option is wrong, 69 Weft could not start.\nThe document may do all that it says: every grant is given, and calls may go to the addresses that it writes out and to those in WEFT_EGRESS_ALLOW.\nTools are those of WEFT_TOOLS_FILE; models that of WEFT_MODEL_ENDPOINT and WEFT_MODEL.',
  );
}

async function run(files: readonly string[], { input, event: events, timeout: timeoutMs, fake, skipTime = false, quiet = false }: RunFlags): Promise<void> {
  const out = printer(true);
  const onProgress = quiet ? () => undefined : out.progress;
  const documents = files.map((file) => ({ file, text: readDocument(file) }));
  checkDocuments(documents);
  if (fake !== undefined) checkAnswers(fake);
  const pretence = { ...(fake === undefined ? {} : { answersFile: fake }), skipsTime: skipTime };
  const { status, output, error, executionId } = await interruptible(onProgress, (told) =>
    runDocuments({ documents: documents.map(({ text }) => text), input, events, timeoutMs, onProgress, pretence, told }),
  );
  if (status === 'completed') return out.data(output ?? null, () => '');
  if (!isEnded(status))
    throw new CommandFailed(`Expected ${executionId} to end within ${timeoutMs} ms but it is ${status}. Give it longer with --timeout, or an event that it waits for with --event.`, EXIT.failed);
  out.data(error ?? { status }, () => '');
  process.exitCode = EXIT.failed;
}

interface GivenDocument {
  readonly file: string;
  readonly text: string;
}

/** Before anything is started: whether they can be read, and told apart. What else is wrong with them is said when they are deployed. @throws CommandFailed */
function checkDocuments(documents: readonly GivenDocument[]): void {
  const known = new Map<string, GivenDocument>();
  for (const given of documents) {
    const reading = readSource(given.text);
    if (!reading.ok) throw new CommandFailed(reading.faults.map(({ message, place }) => `${given.file}: ${message}${place ? ` (line ${place.line}, column ${place.column})` : ''}.`).join('\n'));
    const { value } = reading.source;
    if (!isJsonObject(value)) throw new CommandFailed(`${given.file}: Expected a workflow document, an object with \`document\` and \`do\`, but it holds something else.`);
    const { namespace, name, version } = isJsonObject(value['document']) ? value['document'] : {};
    const is = `${String(namespace)}/${String(name)}:${String(version)}`;
    const other = known.get(is);
    if (other && other.text !== given.text) throw new CommandFailed(`Expected documents of different names or versions but ${other.file} and ${given.file} are both ${is}.`, EXIT.usage);
    known.set(is, given);
  }
}

/** Before anything is started. @throws CommandFailed usage, with every fault of the file. */
function checkAnswers(file: string): void {
  const reading = readAnswers(readInput(file, 'answers'));
  if (!reading.ok) throw new CommandFailed(reading.rejections.map(({ message }) => `${file}: ${message}`).join('\n'), EXIT.usage);
}

const inputOption = (text: string): Json => jsonOption(textOption(text));

/** The text of an option: itself, or what is in the file that it names. */
const textOption = (text: string): string => (text === '-' ? readInput('-', 'JSON') : text.startsWith('@') ? readInput(text.slice(1), 'JSON') : text);

function eventOption(given: string, before: readonly string[]): readonly string[] {
  const text = textOption(given);
  const event = jsonOption(text);
  if (!isJsonObject(event) || typeof event['type'] !== 'string') throw new InvalidArgumentError('Expected a CloudEvent: an object with a `type`.');
  return [...before, JSON.stringify({ specversion: '1.0', id: randomUUID(), source: '/weft/run', time: new Date().toISOString(), ...event })];
}

function durationOption(text: string): number {
  const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Expected a duration such as 500ms, 30s or 2m.');
  return Number(count) * UNITS[unit]!;
}
