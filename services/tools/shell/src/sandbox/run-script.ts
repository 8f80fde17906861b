// One script in a WebAssembly instance of its own: an interpreter that has no function of its host.
import { newQuickJSWASMModuleFromVariant, RELEASE_SYNC, type QuickJSContext, type QuickJSHandle, type QuickJSWASMModule } from './quickjs.js';
import type { SandboxReply, SandboxRequest } from './sandbox-message.js';

const STACK_BYTES = 256 * 1024;
const MESSAGE_CHARACTERS_MAX = 500;
const LOG_CHARACTERS_MAX = 8_192;

// Lives inside: lines are kept by the script's own heap, under its limit. What is used later is taken hold of before the script can replace it.
const PRELUDE = `(() => {
  const lines = [];
  let left = ${LOG_CHARACTERS_MAX};
  const { stringify, parse } = JSON;
  const write = (...parts) => {
    if (left <= 0) return;
    const line = parts.map((part) => { try { return typeof part === 'string' ? part : String(stringify(part) ?? part); } catch { return '?'; } }).join(' ').slice(0, left);
    left -= line.length + 1;
    lines.push(line);
  };
  globalThis.console = { log: write, info: write, warn: write, error: write, debug: write };
  return { parse, stringify, logs: () => stringify(lines) };
})()`;

/** An interpreter that nothing has run in yet. */
export const freshInterpreter = (): Promise<QuickJSWASMModule> => newQuickJSWASMModuleFromVariant(RELEASE_SYNC);

/** Runs the script to its end or its limits. Only texts come out. @param now milliseconds. */
export function runScript(interpreter: QuickJSWASMModule, request: SandboxRequest, now: () => number): SandboxReply {
  const runtime = interpreter.newRuntime();
  const untilMs = now() + request.timeoutMs;
  let isLate = false;
  runtime.setMemoryLimit(request.memoryBytes);
  runtime.setMaxStackSize(STACK_BYTES);
  runtime.setInterruptHandler(() => (isLate ||= now() > untilMs));
  const vm = runtime.newContext();
  const prelude = vm.unwrapResult(vm.evalCode(PRELUDE, 'prelude.js'));
  const logs = (): readonly string[] => {
    // The script is over: what it wrote is read without its deadline.
    runtime.removeInterruptHandler();
    const told = vm.callFunction(vm.getProp(prelude, 'logs'), vm.undefined);
    return told.error ? [] : linesIn(JSON.parse(vm.getString(told.value)));
  };
  const failed = (error: QuickJSHandle): SandboxReply => {
    const message = messageOf(vm, error);
    if (isLate) return { kind: 'timeout' };
    return /out of memory$/.test(message) ? { kind: 'memory' } : { kind: 'threw', message, logs: logs() };
  };
  const body = vm.evalCode(`(function (input) { "use strict";\n${request.source}\n})`, 'script.js');
  if (body.error) return failed(body.error);
  const input = vm.callFunction(vm.getProp(prelude, 'parse'), vm.undefined, vm.newString(request.input));
  if (input.error) return failed(input.error);
  const returned = vm.callFunction(body.value, vm.undefined, input.value);
  if (returned.error) return failed(returned.error);
  const settled = settle(vm, returned.value);
  if (settled === undefined) return isLate ? { kind: 'timeout' } : { kind: 'threw', message: 'the promise that it returned never settles', logs: logs() };
  // An async function that was interrupted looks like one that threw, and may go on from there.
  if (isLate) return { kind: 'timeout' };
  if (settled.error) return failed(settled.error);
  const text = vm.callFunction(vm.getProp(prelude, 'stringify'), vm.undefined, settled.value);
  if (text.error) return failed(text.error);
  const output = vm.typeof(text.value) === 'string' ? vm.getString(text.value) : 'null';
  return Buffer.byteLength(output) > request.outputBytesMax ? { kind: 'output' } : { kind: 'returned', output, logs: logs() };
}

/** What a script wrote, within its bound: by what it did to every object's `toJSON` it may hand out something else. */
function linesIn(told: unknown): readonly string[] {
  const lines = Array.isArray(told) ? told.filter((line) => typeof line === 'string') : [];
  return lines.join('\n').length <= LOG_CHARACTERS_MAX ? lines : [];
}

/** The value of what was returned: of a promise what it comes to, undefined when it never does. */
function settle(vm: QuickJSContext, returned: QuickJSHandle): { readonly value: QuickJSHandle; readonly error?: undefined } | { readonly error: QuickJSHandle } | undefined {
  const jobs = vm.runtime.executePendingJobs();
  if (jobs.error) return { error: jobs.error };
  const state = vm.getPromiseState(returned);
  if (state.type === 'pending') return undefined;
  return state.type === 'fulfilled' ? { value: state.value } : { error: state.error };
}

/** Name and message of what was thrown. A getter of the script's may run for it, under its limits. */
function messageOf(vm: QuickJSContext, error: QuickJSHandle): string {
  const text = (handle: QuickJSHandle): string => (vm.typeof(handle) === 'string' ? vm.getString(handle) : '');
  if (vm.typeof(error) !== 'object') return `it threw ${vm.typeof(error) === 'string' ? vm.getString(error) : `a ${vm.typeof(error)}`}`.slice(0, MESSAGE_CHARACTERS_MAX);
  const [name, message] = [text(vm.getProp(error, 'name')), text(vm.getProp(error, 'message'))];
  return `${name === '' ? 'Error' : name}: ${message}`.slice(0, MESSAGE_CHARACTERS_MAX);
}
