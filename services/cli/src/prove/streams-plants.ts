// Rules of streams loosened from outside, by a module that is loaded before the product: what the proof must notice.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from '../paths.js';

/** `none`, or the rule that does not hold. */
export const STREAM_PLANTS = ['none', 'silent-restart', 'abort-goes-on', 'forgotten-prefix', 'unrecorded-call', 'untold-restart'] as const;
export type StreamPlant = (typeof STREAM_PLANTS)[number];

const TOOLS = ['services', 'tools', 'shell', 'dist'];
const GATEWAY = ['services', 'gateway', 'shell', 'dist'];

const LOOSENED: { readonly [plant in StreamPlant]?: { readonly file: readonly string[]; readonly name: string; readonly code: string } } = {
  'silent-restart': {
    file: [...GATEWAY, 'answer', 'chat-relay.js'],
    name: 'ChatRelay',
    code: `const { end } = ChatRelay.prototype; ChatRelay.prototype.end = function (answer) { const ended = end.call(this, answer); return ended.ok ? ended : { ok: true, pieces: [{ kind: 'text', text: answer }] }; };`,
  },
  'abort-goes-on': { file: [...TOOLS, 'infer', 'job-tokens.js'], name: 'JobTokens', code: `Object.defineProperty(JobTokens.prototype, 'isAborted', { get: () => false });` },
  'forgotten-prefix': {
    file: [...TOOLS, 'infer', 'job-tokens.js'],
    name: 'JobTokens',
    code: `const { begin } = JobTokens.prototype; JobTokens.prototype.begin = function (candidate) { begin.call(this, candidate); return { prefix: '' }; };`,
  },
  'unrecorded-call': {
    file: [...TOOLS, 'carry-out', 'infer-record.js'],
    name: 'InferRecord',
    code: `const { add } = InferRecord.prototype; InferRecord.prototype.add = function (attempt, ...more) { if (attempt.outcome === 'answered') add.call(this, attempt, ...more); };`,
  },
  'untold-restart': {
    file: [...TOOLS, 'infer', 'job-tokens.js'],
    name: 'JobTokens',
    code: `JobTokens.prototype.begin = () => ({ prefix: '' });`,
  },
};

/** Settings for the process that is asked. @param home where the module is written. */
export function loosenedStreams(plant: StreamPlant, home: string): Readonly<Record<string, string>> {
  const loosened = LOOSENED[plant];
  if (!loosened) return {};
  const file = join(home, 'plant.mjs');
  writeFileSync(file, `import { ${loosened.name} } from ${JSON.stringify(pathToFileURL(inRoot(...loosened.file)).href)};\n${loosened.code}\n`);
  return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` };
}
