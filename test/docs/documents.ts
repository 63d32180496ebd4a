import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** Every document whose commands and programs run as tests, by its path from the project's root. */
export async function documents(): Promise<string[]> {
  const docs = (await readdir(join(PROJECT, 'docs'))).filter((name) => name.endsWith('.md')).sort();
  return ['README.md', ...docs.map((name) => `docs/${name}`)];
}

/**
 * Documents that `npm run test:cluster` follows from beginning to end, with all blocks that need a scheduler. There may be such
 * blocks in no other document.
 */
export const CLUSTER_DOCUMENTS: readonly string[] = ['docs/slurm.md'];

/** Lines of a document between two fences, without the fences: `from` (counted from 0) up to and not including `to`. */
interface Lines {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** A fenced block that does something: a command line, a program, or a file for those after it. */
export interface Block extends Lines {
  readonly kind: 'sh' | 'js' | 'file';
  /** Where a `file` goes. */
  readonly path?: string;
  /** Why the block is not run. */
  readonly skip?: string;
  /** What the block needs that not every machine has: a scheduler. */
  readonly needs?: string;
  /** The `text` block right behind: what the block prints on standard output. */
  readonly output?: Lines;
}

const FENCE = /^```(\w*)$/;
const SKIP = /^<!-- skip: (.+) -->$/;
const NEEDS = /^<!-- needs: (\w+) -->$/;
const FILE = /^<!-- file: ([\w./-]+) -->$/;

/** The blocks of a document in order. A comment on the line before a block, skip, needs or file, says what else it is. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  /** Line behind the last block, as long as nothing but blank lines follow it. */
  let adjacent = -1;
  for (let i = 0; i < lines.length; i++) {
    if (lines[i] === '' && i === adjacent) adjacent += 1;
    const language = FENCE.exec(lines[i])?.[1];
    if (language === undefined) continue;
    const from = i + 1;
    const end = lines.indexOf('```', from);
    if (end < 0) throw new Error(`line ${from}: a fence that is never closed`);
    const text = lines.slice(from, end).join('\n');
    const before = lines[from - 2] ?? '';
    const skip = SKIP.exec(before)?.[1];
    const needs = NEEDS.exec(before)?.[1];
    const path = FILE.exec(before)?.[1];
    const last = blocks.at(-1);
    if (language === 'text' && i === adjacent && last)
      blocks[blocks.length - 1] = { ...last, output: { from, to: end, text } };
    if (language === 'sh' || language === 'js') {
      const marks = { ...(skip === undefined ? {} : { skip }), ...(needs === undefined ? {} : { needs }) };
      blocks.push({ kind: language, from, to: end, text, ...marks });
    } else if (path !== undefined) {
      blocks.push({ kind: 'file', from, to: end, text, path });
    }
    adjacent = language === 'sh' || language === 'js' ? end + 1 : -1;
    i = end;
  }
  return blocks;
}

/** A new folder in which `equiflow` is this package, as a command and as an import, and `examples` are its examples. */
export async function readerFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'equiflow-docs-'));
  await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
  await symlink(PROJECT, join(folder, 'node_modules', 'equiflow'), 'dir');
  await symlink(join(PROJECT, 'examples'), join(folder, 'examples'), 'dir');
  const command = join(folder, 'node_modules', '.bin', 'equiflow');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${join(PROJECT, 'dist/src/cli/main.js')}" "$@"\n`);
  await chmod(command, 0o755);
  return folder;
}

/** Runs one block in a reader's folder. @returns its standard output; rejects with the standard error if it fails */
export async function runBlock(
  { kind, text, path, from }: Pick<Block, 'kind' | 'text' | 'path' | 'from'>,
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (kind === 'file') {
    await writeFile(join(folder, path!), `${text}\n`);
    return '';
  }
  if (kind === 'js') {
    const file = `line-${from}.mjs`;
    await writeFile(join(folder, file), `${text}\n`);
    return run(process.execPath, [file], folder, environment);
  }
  return run('sh', ['-e', '-c', text], folder, environment);
}

function run(command: string, args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const env = { ...environment, PATH: `${join(cwd, 'node_modules', '.bin')}${delimiter}${environment.PATH}` };
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout.trimEnd());
    });
  });
}

/**
 * How far a number in a document may be from what is printed. Here they are the same; elsewhere the last bits of `Math.exp`
 * may differ, which training amplifies.
 */
const RELATIVE = 0.02;
const ABSOLUTE = 0.02;

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** The same words, and numbers that agree. */
export function agree(printed: string, documented: string): boolean {
  if (printed.replace(NUMBER, '#') !== documented.replace(NUMBER, '#')) return false;
  const [a, b] = [printed, documented].map((text) => (text.match(NUMBER) ?? []).map(Number));
  return a.every((value, i) => Math.abs(value - b[i]) <= ABSOLUTE + RELATIVE * Math.abs(b[i]));
}
