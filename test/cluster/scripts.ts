import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import type { EmittedFile, RunFacts } from '../../src/cluster/emit/emit.js';
import { ownFolder } from '../own-folder.js';

export const execute = promisify(execFile);

/** A run to emit scripts for. */
export const FACTS: RunFacts = {
  run: '/data/run',
  job: 'sample',
  hash: '0123456789abcdef'.repeat(4),
  firstIndex: 0,
  shards: 100,
  command: ['/usr/bin/node', '/opt/equiflow/main.js'],
  merge: ['--out', '/data/samples'],
};

/** Texts by the last part of their names. */
export function byName(files: readonly EmittedFile[]) {
  return Object.fromEntries(files.map(({ name, text }) => [name.replace(/^.*\//, ''), text]));
}

/** What is behind #SBATCH, where sbatch reads it: before the first line that is no comment. */
export function directives(script: string): string[] {
  const lines = script.split('\n');
  const end = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
  return lines.slice(0, end).flatMap((line) => /^#SBATCH (.+)$/.exec(line)?.[1] ?? []);
}

/**
 * Writes a file that is to be run, by a process of its own: a child that this one forks meanwhile, for another test, would hold the file
 * open for writing, and then nobody can run it.
 */
export async function writeProgram(path: string, text: string): Promise<void> {
  await execute('sh', ['-c', 'printf %s "$1" >"$0" && chmod 755 "$0"', path, text]);
}

/** A folder with an odd name in which programs record the words they are called with, and print what they are told to. */
export async function fakes(t: ExecutionContext, programs: Readonly<Record<string, string>>) {
  const folder = await ownFolder(t, 'equiflow 100 %a $HOME `x` \'y\' "z" & ');
  await mkdir(join(folder, 'bin'));
  for (const [name, body] of Object.entries(programs)) {
    const text = `#!/bin/bash\nprintf '%s\\n' "${name}" "$@" . >>"$CALLS"\n${body}\n`;
    await writeProgram(join(folder, 'bin', name), text);
  }
  const calls = join(folder, 'calls');
  await writeFile(calls, '');
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, CALLS: calls };
  const read = async () =>
    (await readFile(calls, 'utf8'))
      .split('\n.\n')
      .slice(0, -1)
      .map((call) => call.split('\n'));
  return { folder, env, equiflow: join(folder, 'bin', 'equiflow'), read };
}

export async function write(folder: string, files: readonly EmittedFile[]): Promise<void> {
  for (const { name, text, executable } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    if (executable) await writeProgram(join(folder, name), text);
    else await writeFile(join(folder, name), text);
  }
}
