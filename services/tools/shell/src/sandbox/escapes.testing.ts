// What scripts have tried to get out of sandboxes with: ways to a constructor or an object of the host, times what would be done with it.

// Each gives something that runs a text as code, or an object that might be the host's.
const WAYS: readonly string[] = [
  'eval',
  '(0, eval)',
  'Function',
  '(() => {}).constructor',
  '[].constructor.constructor',
  '({}).constructor.constructor',
  '"".constructor.constructor',
  '(async () => {}).constructor',
  '(function* () {}).constructor',
  '(async function* () {}).constructor',
  'Reflect.construct.constructor',
  'console.log.constructor',
  'console.constructor.constructor',
  'input.constructor.constructor',
  'Object.getPrototypeOf(async () => {}).constructor',
  'new Proxy(Function, { get: (target, name) => target[name] })',
  'Reflect.get(Object.getPrototypeOf(() => {}), "constructor")',
  'JSON.parse("{}").constructor.constructor',
  '(() => { try { null.x } catch (error) { return error.constructor.constructor } })()',
  '(() => { try { (function f() { f() })() } catch (error) { return error.constructor.constructor } })()',
  '(() => { try { new Array(-1) } catch (error) { return error.constructor.constructor } })()',
  'Object.getOwnPropertyDescriptor(Object.prototype, "__proto__").get.constructor',
  'Promise.resolve().then.constructor',
  'Symbol.prototype[Symbol.toPrimitive].constructor',
];

// Texts that would reach the host from there. Each gives something true only outside.
const AIMS: readonly string[] = [
  'return typeof process !== "undefined" && process.pid',
  'return typeof require !== "undefined" && require("node:fs").readFileSync("/etc/passwd", "utf8")',
  'return typeof globalThis.process?.binding === "function"',
  'return this && this.process && this.process.mainModule',
  'return typeof WebAssembly !== "undefined" || typeof SharedArrayBuffer === "undefined" && typeof Deno !== "undefined"',
];

// Escapes with a form of their own.
const OTHERS: readonly string[] = [
  'Error.prepareStackTrace = (_error, frames) => frames; const frames = new Error().stack; return Array.isArray(frames) && frames[0].getThis()',
  'return import("node:fs").then((fs) => fs.readFileSync("/etc/passwd", "utf8"), () => false)',
  'return import("fs").then(() => true, () => false)',
  'return import("std").then((std) => std.loadFile("/etc/passwd"), () => false)',
  'return import("os").then((os) => os.getcwd(), () => false)',
  'return typeof std !== "undefined" && std.loadFile("/etc/passwd")',
  'return typeof os !== "undefined" && os.exec(["id"])',
  'return typeof scriptArgs !== "undefined"',
  'return typeof fetch !== "undefined" || typeof XMLHttpRequest !== "undefined" || typeof WebSocket !== "undefined"',
  'return typeof setTimeout !== "undefined" || typeof setInterval !== "undefined" || typeof queueMicrotask === "undefined" && typeof setImmediate !== "undefined"',
  'return typeof Worker !== "undefined" || typeof Atomics !== "undefined" && typeof Worker !== "undefined"',
  'return typeof module !== "undefined" || typeof exports !== "undefined" || typeof __dirname !== "undefined"',
  'return typeof Buffer !== "undefined" && Buffer.allocUnsafe(1e4).toString("latin1").length > 0',
  'return typeof performance !== "undefined" && performance.nodeTiming !== undefined',
  'return typeof print !== "undefined" && (print("x"), true)',
  '}), (function () { return typeof process !== "undefined"',
  '}); globalThis.escaped = typeof process !== "undefined"; (function () { return globalThis.escaped',
  'const seen = []; new Proxy({}, { get: (_target, name, receiver) => seen.push(receiver) }); return seen.some((one) => one && one.process)',
  'class Thenable { then(resolve) { resolve(typeof process !== "undefined") } } return Promise.resolve(new Thenable())',
  'Array.prototype.map = function () { return [typeof process !== "undefined"] }; return [1].map((one) => one)[0]',
  'JSON.stringify = () => \'{"kind":"returned","output":"\\"x\\"","logs":[]}\'; return false',
  'Object.prototype.toJSON = () => typeof process !== "undefined"; return {}',
  'return new Function("return this")() !== globalThis',
  'return Object.getOwnPropertyNames(globalThis).some((name) => /process|require|module|fetch|std|os\\b/.test(name))',
];

// What a generator gives, or a promise comes to, is what counts.
const attempt = (way: string, aim: string): string => `
  const way = ${way};
  const text = ${JSON.stringify(aim)};
  let told = way === eval ? way("(function () {" + text + "})()") : way(text)();
  return (async () => Boolean(typeof told?.next === "function" ? (await told.next()).value : await told))();`;

/** Scripts that return something true when they are out. */
export const ESCAPES: readonly string[] = [...WAYS.flatMap((way) => AIMS.map((aim) => attempt(way, aim))), ...OTHERS];

const PROTOTYPES = ['Object', 'Array', 'Function', 'String', 'Number', 'Boolean', 'RegExp', 'Date', 'Promise', 'Map', 'Set', 'Error', 'Symbol'];

/** Scripts that change what every object inherits, and hand out what would change it outside. */
export const POLLUTIONS: readonly string[] = [
  ...PROTOTYPES.map((name) => `${name}.prototype.polluted = true; return { polluted: true }`),
  ...PROTOTYPES.map((name) => `Object.defineProperty(${name}.prototype, "toString", { value: () => "polluted" }); return {}`),
  ...PROTOTYPES.map((name) => `Object.setPrototypeOf(${name}.prototype, null); return { a: 1 }`),
  'return JSON.parse(\'{"__proto__": {"polluted": true}}\')',
  'return JSON.parse(\'{"constructor": {"prototype": {"polluted": true}}}\')',
  'const made = {}; Object.defineProperty(made, "__proto__", { value: { polluted: true }, enumerable: true }); return made',
  'return [JSON.parse(\'{"a": {"__proto__": {"polluted": true}}}\')]',
  'return { constructor: { prototype: { polluted: true } }, prototype: { polluted: true } }',
  'input.__proto__.polluted = true; return input',
  'input.constructor.prototype.polluted = true; return input',
  '[].__proto__.polluted = true; ({}).__proto__.polluted = true; return [1]',
  'globalThis.JSON = { parse: () => ({ polluted: true }), stringify: () => "{\\"polluted\\": true}" }; return { clean: true }',
  'globalThis.Object = { polluted: true }; return {}',
  'delete Object.prototype.hasOwnProperty; delete Array.prototype.push; return []',
  'Object.freeze(Object.prototype); Object.freeze(Array.prototype); return {}',
  'for (const name of Object.getOwnPropertyNames(globalThis)) try { globalThis[name] = undefined } catch {} return null',
];
