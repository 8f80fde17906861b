// The bootstrap behind ./weft: plain Node, no dependency. Install (once a lock file), build (once a change), run.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const state = join(root, '.weft', 'launcher');
const nodeBinary = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const EX_UNAVAILABLE = 69;

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`expected Node.js 20 or newer to start, but this is ${process.version}. Install a newer one and run this again.`);

if (isBehind()) alone(() => (install(), build()));
run();

function isBehind() {
  return !existsSync(nodeBinary) || stamp('installed') !== dependenciesDigest() || stamp('built') !== sourcesFingerprint();
}

/** One command at a time installs and builds: two would take each other's files away. The lock of a command that is gone counts for nothing. */
function alone(work) {
  mkdirSync(state, { recursive: true });
  const lock = join(state, 'lock');
  for (let isTold = false; !takes(lock); isTold = true) {
    if (!isTold) say('waiting for another ./weft that installs or builds');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  // `fail` ends the process: its lock goes with it.
  process.once('exit', () => rmSync(lock, { force: true }));
  work();
  rmSync(lock, { force: true });
}

function takes(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (fault) {
    if (fault.code !== 'EEXIST') throw fault;
  }
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    // Whoever died before it wrote its number left an empty file.
    const isGone = holder > 0 ? !isAlive(holder) : Date.now() - statSync(lock).mtimeMs > 10_000;
    if (isGone) rmSync(lock, { force: true });
  } catch {
    // Let go of meanwhile.
  }
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return fault.code === 'EPERM';
  }
}

function dependenciesDigest() {
  return digestOf([join(root, 'package-lock.json'), ...listing(join(root, 'patches'))]);
}

function install() {
  const wanted = dependenciesDigest();
  if (existsSync(nodeBinary) && stamp('installed') === wanted) return;
  say('installing dependencies (first start or changed lock file; about a minute)');
  const log = join(state, 'install.log');
  // The scripts that dependencies may run at install are the ones in package.json's allowScripts.
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  mkdirSync(state, { recursive: true });
  writeFileSync(log, `${done.stdout ?? ''}${done.stderr ?? ''}`);
  if (done.error || done.status !== 0)
    fail(`npm ci failed${done.error ? `: ${done.error.message}` : ''}. Its output is in .weft/launcher/install.log; the last lines:\n${tail(done.stderr || done.stdout)}`);
  if (!existsSync(nodeBinary)) fail('npm ci ended well but node_modules/node is missing: were install scripts switched off? Allow those in package.json (allowScripts) and run this again.');
  writeStamp('installed', wanted);
}

function build() {
  const wanted = sourcesFingerprint();
  if (stamp('built') === wanted) return;
  say('building');
  // Nx brings back what was built from the same sources before; where it has no binary for the platform, the compiler runs by itself.
  const environment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: environment };
  const cached = spawnSync(nodeBinary, [join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js'), 'run', 'weft:build'], options);
  if (cached.error || cached.status !== 0) {
    const done = spawnSync(nodeBinary, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], options);
    if (done.error || done.status !== 0) fail(`the build failed:\n${tail(done.stdout || done.stderr, 40)}`);
  }
  writeStamp('built', wanted);
}

function run() {
  const main = join(root, 'services', 'cli', 'dist', 'main.js');
  const path = `${dirname(nodeBinary)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`;
  // What was compiled by an earlier command is used again, by this one and by the processes that it starts.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, '.weft', 'compiled');
  const child = spawn(nodeBinary, ['--enable-source-maps', main, ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, PATH: path, WEFT_ROOT: root, NODE_COMPILE_CACHE: compiled } });
  // Ctrl-C reaches the whole process group; the command line decides how to end, so this only passes on what was sent to it alone.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) => fail(`could not start ${nodeBinary}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

/** Changes when a file that the build reads changes: path, size and time of each. */
function sourcesFingerprint() {
  const files = [join(root, 'tsconfig.json'), join(root, 'tsconfig.base.json'), join(root, 'package-lock.json')];
  for (const top of ['libs', 'services', 'bench', 'tests']) walk(join(root, top), files);
  const lines = files.sort().map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file.slice(root.length)} ${size} ${mtimeMs}`;
  });
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function walk(folder, files) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== 'dist') walk(path, files);
    } else if (/\.(ts|tsx)$|^tsconfig.*\.json$/.test(entry.name) && !/\.spec\.ts$/.test(entry.name)) files.push(path);
  }
}

function listing(folder) {
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : [];
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function stamp(name) {
  const file = join(state, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function writeStamp(name, text) {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, name), text);
}

function say(text) {
  process.stderr.write(`weft: ${text}\n`);
}

function tail(text, lines = 15) {
  return (text ?? '').trimEnd().split('\n').slice(-lines).join('\n');
}

function fail(text) {
  process.stderr.write(`weft: ${text}\n`);
  process.exit(EX_UNAVAILABLE);
}
