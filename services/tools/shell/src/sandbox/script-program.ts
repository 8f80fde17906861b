// A script of `run: script` as the sandbox runs it: a program with arguments, an environment, three streams and an exit code.
import type { Json } from '@weft/kernel';
import type { ProcessResult, ScriptRun } from '@weft/tools/core';

/**
 * Body of a function of `{code, argv, env, stdin}` that gives a `ProcessResult`. It adds what programs find in JavaScript hosts:
 * `console` (log, info and debug write to stdout; warn and error to stderr) and of `process` `argv`, `env`, `exit`, `exitCode`, `stdin`, `stdout`
 * and `stderr`. The code is the body of an async function: `await` may stand at its top. What it throws goes to stderr, with code 1.
 */
export const SCRIPT_PROGRAM = `
  const { code, argv, env, stdin } = input;
  const { stringify } = JSON;
  const written = { stdout: '', stderr: '' };
  let isOver = false;
  const write = (stream) => (text) => { if (!isOver) written[stream] += text; return true; };
  // Its own places, by the lines that its author wrote: what runs it, and what stands around it, is nobody's business.
  const framesOf = ({ stack }) => String(stack ?? '').split('\\n').flatMap((frame) => {
    const [found, line, column] = /<input>:(\\d+):(\\d+)/.exec(frame) ?? [];
    return line > 2 ? [frame.replace(found, 'script.js:' + (line - 2) + ':' + column).replace(/anonymous \\((.*)\\)/, '$1')] : [];
  });
  const codeOf = (status) => (Number.isInteger(Number(status)) ? Number(status) : 1);
  const show = (part) => {
    if (typeof part === 'string') return part;
    if (part instanceof Error) return [String(part), ...framesOf(part)].join('\\n');
    try { return stringify(part) ?? String(part); } catch { return String(part); }
  };
  const line = (stream) => (...parts) => { write(stream)(parts.map(show).join(' ') + '\\n'); };
  const [log, warn] = [line('stdout'), line('stderr')];
  globalThis.console = { log, info: log, debug: log, warn, error: warn, trace: warn };
  const { promise: exited, resolve: leave } = Promise.withResolvers();
  const exit = (status = process.exitCode ?? 0) => { leave(codeOf(status)); isOver = true; throw new Error('exit'); };
  let unread = stdin;
  const read = () => { const text = unread; unread = null; return text === '' ? null : text; };
  const process = {
    argv, env, exit, exitCode: undefined,
    stdout: { write: write('stdout') },
    stderr: { write: write('stderr') },
    stdin: {
      read,
      setEncoding() { return this; },
      on(event, listen) {
        if (event === 'data') { const text = read(); if (text !== null) Promise.resolve().then(() => listen(text)); }
        if (event === 'end') Promise.resolve().then(() => Promise.resolve().then(() => listen()));
        return this;
      },
      async *[Symbol.asyncIterator]() { const text = read(); if (text !== null) yield text; },
    },
  };
  globalThis.process = process;
  const Program = (async () => {}).constructor;
  const end = (status) => ({ code: status, stdout: written.stdout, stderr: written.stderr });
  const ran = (async () => {
    try {
      await new Program(code)();
      return codeOf(process.exitCode ?? 0);
    } catch (error) {
      // A limit is no error of the program: whoever runs it is to know.
      if (error instanceof InternalError) throw error;
      if (!isOver) warn(error);
      return 1;
    }
  })();
  return Promise.race([exited, ran]).then(end);
`;

/** What the program is given. */
export function scriptInput(code: string, run: Pick<ScriptRun, 'arguments' | 'environment' | 'stdin'>): Json {
  return { code, argv: ['js', 'script.js', ...run.arguments], env: { ...run.environment }, stdin: run.stdin };
}

/** What it gave. A script may have put anything in the place of what the program uses. */
export function scriptResult(output: Json): ProcessResult | undefined {
  const { code, stdout, stderr } = (typeof output === 'object' && output !== null ? output : {}) as Partial<ProcessResult>;
  return Number.isInteger(code) && typeof stdout === 'string' && typeof stderr === 'string' ? { code: code!, stdout, stderr } : undefined;
}
