// MCP over the standard streams of a child process that Weft starts, bounds and ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { parseJSONRPCMessage, serializeMessage, type JSONRPCMessage, type Transport } from '@modelcontextprotocol/client';
import { killTree, MARK } from '../process/process-tree.js';

/** How a server is started. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing else is handed on. Asked at each start, so that a secret may have changed. */
  readonly envOf: () => { readonly [name: string]: string };
  readonly cwd: string;
}

/** Bytes of one message. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes that may come without one answer to a request among them: more is a flood. */
export const UNASKED_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes of lines that are no messages: servers that print to the wrong stream are common, and they print little. */
export const NOISE_BYTES_MAX = 256 * 1024;
const STDERR_CHARACTERS_KEPT = 4_096;
// A server that is asked to go has this long before it is killed.
const LEAVE_MS = 2_000;

/** One child process, in a group of its own. It ends for good: another one is another transport. */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];

  readonly #mark = randomUUID();
  #child: ChildProcess | undefined;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #unaskedBytes = 0;
  #noiseBytes = 0;
  #stderr = '';
  #reason = '';
  #isOver = false;

  constructor(private readonly server: ServerCommand) {}

  /** Why the process ended, with the last words of its stderr; empty while it lives. */
  get ending(): string {
    if (!this.#isOver) return '';
    const words = this.#stderr.trim().split('\n').at(-1)?.slice(-300) ?? '';
    return `${this.#reason}${words === '' ? '' : `; it said last: ${words}`}`;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { command, args, envOf, cwd } = this.server;
      const child = spawn(command, args, { cwd, env: { ...envOf(), [MARK]: this.#mark }, stdio: ['pipe', 'pipe', 'pipe'], detached: true, windowsHide: true });
      this.#child = child;
      child.once('spawn', resolve);
      child.once('error', (error) => {
        this.#over(`it could not be started: ${error.message}`);
        reject(error);
      });
      child.once('exit', (code, signal) => this.#over(`its process ended ${signal === null ? `with ${code}` : `by ${signal}`}`));
      child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS_KEPT)));
      // A process that has gone leaves its pipe broken: its exit says so.
      child.stdin.on('error', () => undefined);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (this.#isOver || !stdin?.writable) return Promise.reject(new Error(`Expected a process that takes messages but ${this.#reason || 'there is none'}.`));
    return new Promise((resolve, reject) => stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve())));
  }

  /** Asks the server to go by closing its input, then kills it with all that it has begun. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child || this.#isOver) return;
    const left = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.stdin?.end();
    const timer = setTimeout(() => this.kill('it was asked to go and stayed'), LEAVE_MS);
    await left;
    clearTimeout(timer);
    this.kill('it was closed');
  }

  /** Ends the process now, with all that it has begun. */
  kill(reason: string): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) killTree(pid, this.#mark);
    this.#over(reason);
  }

  #over(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reason = reason;
    this.#pieces = [];
    const pid = this.#child?.pid;
    // Its children do not outlive it: they would hold its pipes and go on working for nobody.
    if (pid !== undefined) killTree(pid, this.#mark);
    this.onclose?.();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#unaskedBytes += chunk.length;
    if (this.#unaskedBytes > UNASKED_BYTES_MAX) return this.kill(`it wrote more than ${UNASKED_BYTES_MAX} bytes without an answer among them`);
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#piece(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#pieces.length === 1 && this.#pieces[0] ? this.#pieces[0] : Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#pieceBytes = 0;
      this.#line(line);
      if (this.#isOver) return;
    }
    this.#piece(chunk.subarray(from));
    if (this.#pieceBytes > MESSAGE_BYTES_MAX) this.kill(`it wrote a message of more than ${MESSAGE_BYTES_MAX} bytes`);
  }

  #piece(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
  }

  #line(line: Buffer): void {
    const message = messageOf(line);
    if (message === undefined) {
      this.#noiseBytes += line.length + 1;
      if (this.#noiseBytes > NOISE_BYTES_MAX) this.kill(`it wrote more than ${NOISE_BYTES_MAX} bytes that are no messages`);
      return;
    }
    if ('id' in message && ('result' in message || 'error' in message)) this.#unaskedBytes = 0;
    this.onmessage?.(message);
  }
}

const BRACE = '{'.charCodeAt(0);

/** The message of a line; undefined when it holds none. Only what begins like one is parsed: noise costs nothing. */
function messageOf(line: Buffer): JSONRPCMessage | undefined {
  if (line[0] !== BRACE) return undefined;
  try {
    return parseJSONRPCMessage(JSON.parse(line.toString('utf8')));
  } catch {
    return undefined;
  }
}
