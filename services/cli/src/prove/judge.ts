// Judges are programs of their own, which share no code with what they judge.
import { execFile } from 'node:child_process';
import { CommandFailed } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import type { Verdict } from './trial.js';

/** Lets a judge of tests/faults judge. @param name as in NAME-checker.main.js. @throws CommandFailed when it cannot judge. */
export function judgedBy(name: string, args: readonly string[]): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [inRoot('tests', 'faults', 'dist', `${name}-checker.main.js`), ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? Number((error as { code?: unknown }).code) : 0;
      if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
      else resolve({ counts: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
    });
  });
}
