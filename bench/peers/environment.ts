/* Where the peers live: a throw-away folder of their own outside the project, made by one command. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The sources of the peers; compiled TypeScript stands in dist/, they do not. */
export const SOURCES = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));

/** `$EQUIFLOW_PEERS`, or a folder in the user's cache. */
export function peersFolder(): string {
  const { EQUIFLOW_PEERS, XDG_CACHE_HOME } = process.env;
  return EQUIFLOW_PEERS ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'equiflow', 'peers');
}

export function pythonPath(): string {
  const venv = join(peersFolder(), 'venv');
  return process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
}

/** Prints a step, does it, and says in one line what went wrong if it did. */
function attempt(print: (line: string) => void, what: string, step: () => void): void {
  const started = performance.now();
  try {
    step();
    print(`${what}: done in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    const lines = (stderr?.toString().trim() || message).split('\n');
    print(`${what}: not possible here: ${lines.at(-1)}`);
  }
}

const run = (command: string, args: readonly string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Installs what can be installed. PyTorch's Linux wheel brings its CUDA libraries along: 6 GB on disk. */
export function installPeers(print: (line: string) => void): void {
  const folder = peersFolder();
  mkdirSync(folder, { recursive: true });
  print(`peers go to ${folder}`);
  attempt(print, 'Python: NumPy, PyTorch, JAX', () => {
    if (!existsSync(pythonPath())) run('python3', ['-m', 'venv', join(folder, 'venv')]);
    const requirements = join(SOURCES, 'python', 'requirements.txt');
    run(pythonPath(), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  });
}

/** Removes all of it. */
export function removePeers(): void {
  rmSync(peersFolder(), { recursive: true, force: true });
}
