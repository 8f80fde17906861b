// Where the main thread's time went: sums a profile of `node --cpu-prof` by source file and by function, per job.
// node --cpu-prof --cpu-prof-dir=DIR bench/dist/main.js chain --count 20000 --concurrency 256 --home HOME; node bench/dist/cpu-profile.main.js DIR/*.cpuprofile 100000
import { readFileSync } from 'node:fs';

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const ROWS_MAX = 25;

const [file = '', jobsText = '1'] = process.argv.slice(2);
const jobs = Number(jobsText);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
const [byPlace, byFunction] = [new Map<string, number>(), new Map<string, number>()];
let totalUs = 0;
samples.forEach((id, index) => {
  const frame = frames.get(id)!;
  const us = Math.max(0, timeDeltas[index]!);
  const place = placeOf(frame.url, frame.functionName);
  totalUs += us;
  byPlace.set(place, (byPlace.get(place) ?? 0) + us);
  const name = `${frame.functionName || '(anonymous)'} ${place}:${frame.lineNumber + 1}`;
  byFunction.set(name, (byFunction.get(name) ?? 0) + us);
});
print('by file', byPlace);
print('by function', byFunction);

function print(title: string, sums: ReadonlyMap<string, number>): void {
  process.stdout.write(`${title}: us a job, share\n`);
  for (const [name, us] of [...sums].sort(([, left], [, right]) => right - left).slice(0, ROWS_MAX))
    process.stdout.write(`${(us / jobs).toFixed(2).padStart(9)} ${((us / totalUs) * 100).toFixed(1).padStart(5)} %  ${name}\n`);
}

/** A package's file without the machine's path; the engine's own doings by their names. */
function placeOf(url: string, functionName: string): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(engine)';
  return url.startsWith('node:') ? url : url.replace(/^.*\/node_modules\//, '').replace(/^.*\/((libs|services|bench)\/)/, '$1');
}
