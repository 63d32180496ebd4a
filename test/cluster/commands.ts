import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How a command ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a command runs. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a command to its end, however it ends. */
export function attempt(
  command: string,
  args: readonly string[],
  { cwd, env }: Partial<Surroundings> = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number' && error.signal == null) reject(error);
      else resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

/** Runs a command that has to succeed. @returns its standard output without the last line break */
export async function succeed(
  command: string,
  args: readonly string[],
  surroundings: Partial<Surroundings> = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, args, surroundings);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.trimEnd();
}

/** Looks again and again until something is there: often where that costs nothing, now and then where it takes a process. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end) {
    const seen = look();
    const found = await seen;
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, seen instanceof Promise ? 100 : 10));
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`);
}

/**
 * Installs by apt what is not there.
 * @param packages by the shell command that succeeds where they are there
 * @throws if that does not work: without Slurm nothing is proven
 */
export function install(packages: Readonly<Record<string, string>>): void {
  const missing = Object.keys(packages).filter((command) => {
    try {
      execFileSync('sh', ['-c', command], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  const options = { stdio: 'inherit' as const, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const wanted = [...new Set(missing.map((command) => packages[command]))];
  execFileSync('apt-get', ['update', '-qq'], options);
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], options);
}

/** Folders below this one on which something is mounted. */
export function mountsBelow(folder: string): string[] {
  const places = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return places.filter((place) => place.startsWith(`${folder}/`));
}
