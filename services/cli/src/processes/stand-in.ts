// Programs that stand in for the outside world: a scripted model, and a mail provider that counts what it sends.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import { followChild } from './child-log.js';
import { WITH_PARENT } from './with-parent.js';

export interface StandIn {
  /** Without a path. */
  readonly url: string;
  stop(): Promise<void>;
}

const READY_MS = 10_000;

/** A model that answers from a script, behind the protocol of OpenAI. Every answer is marked as simulated. @param recordFile gets a line for each request that is over. */
export const startScriptedModel = (script: string, logFile: string, recordFile?: string): Promise<StandIn> =>
  startProgram('the scripted model', inRoot('libs', 'testkit', 'dist', 'model-server.main.js'), ['--script', script, ...(recordFile === undefined ? [] : ['--record', recordFile])], logFile);

/** A mail provider that writes a line for each mail into a file. @param answerMs how long it keeps its answer back. */
export const startMailProvider = (file: string, logFile: string, answerMs = 0): Promise<StandIn> =>
  startProgram('the mail provider', inRoot('tests', 'faults', 'dist', 'counting-server.main.js'), ['--file', file, '--delay-ms', String(answerMs)], logFile);

async function startProgram(name: string, main: string, args: readonly string[], logFile: string): Promise<StandIn> {
  if (!existsSync(main)) throw new CommandFailed(`Expected Weft to be built but ${main} is missing. Start the command as ./weft, which builds.`, EXIT.unavailable);
  // A pipe for its input that nothing is written to: it closes when this command is gone.
  const child = spawn(process.execPath, [...WITH_PARENT, main, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const url = await urlOf(child, ended, name, logFile);
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function urlOf(child: ChildProcess, ended: Promise<void>, name: string, logFile: string): Promise<string> {
  let tell: (url: string) => void = () => undefined;
  const told = new Promise<string>((resolve) => (tell = resolve));
  const log = followChild(logFile, [child.stdout, child.stderr], (line) => {
    const url = /^\{"url":"([^"]+)"/.exec(line)?.[1];
    if (url !== undefined) tell(url);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), READY_MS)));
  const url = await Promise.race([told, ended.then(() => undefined), late]);
  clearTimeout(timer);
  if (url !== undefined) return url;
  child.kill('SIGKILL');
  throw new CommandFailed(`Expected ${name} to start but it did not: ${log.tail() || 'it said nothing'}`, EXIT.unavailable);
}
