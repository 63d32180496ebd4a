import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** The project's package.json. */
export const MANIFEST = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

/** What a child process ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
  });
}

/** Copies what is published into `folder`. */
export async function copyPackage(folder: string): Promise<void> {
  await cp(join(PROJECT, 'package.json'), join(folder, 'package.json'));
  await cp(join(PROJECT, 'dist', 'src'), join(folder, 'dist', 'src'), { recursive: true });
}

/** Makes the project's dependencies those of `folder`, without installing them once more. */
export async function linkDependencies(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  for (const name of Object.keys(MANIFEST.dependencies)) {
    await symlink(join(PROJECT, 'node_modules', name), join(folder, 'node_modules', name));
  }
}
