import { mkdirSync } from 'node:fs';
import { readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OutputError } from '../errors.js';
import { writeOutput } from '../formats/files.js';
import { syncFolder } from '../formats/flush.js';
import { asOutputError, systemErrorCode } from '../formats/system-errors.js';
import { followLinks, requireFileTarget, requireFolderTarget } from '../formats/targets.js';
import { temporaryPath } from '../formats/temporaries.js';
import { brief } from '../formats/text.js';
import { isLock, lockFolder } from './folder-lock.js';
import { isSampleFolder } from './sample-manifest.js';

const PLAN = 'plan.json';
const JOURNAL = 'journal';
const SET = 'set';

/** The file in the set where that is one file. */
export const SET_FILE = 'samples';

/** What a set becomes. */
export type TargetKind = 'folder' | 'file';

/** What decides the bytes of a sample set; a run may go on only with what was begun with the same. */
export type SamplePlan = Readonly<Record<string, unknown>> & { readonly n: number };

/**
 * The unfinished version of a folder or file: `.<name>.<n>.partial` beside it, with the files in `set`, the plan they follow, a
 * journal of what has reached the device, and the lock of the process that writes it. The name depends on the target and n
 * alone, so that the same command finds it again.
 */
export interface PartialFolder {
  readonly path: string;
  /** Folder of the files to be. */
  readonly set: string;
  readonly journal: string;
  /** Puts the set where it belongs, in place of an empty folder, an older sample set or a file, and removes the rest. */
  publish(): Promise<void>;
  /** Removes it with all it holds. */
  remove(): Promise<void>;
  /** Leaves it to a later run. */
  release(): void;
}

/**
 * Creates the partial folder of a target, or opens the one that was left, and locks it.
 *
 * @throws OutputError if the target is not to be replaced, its parent is missing or not writable, another process is at it,
 *   or something else was begun there; InterruptedError if the signal aborts while another process may be at it
 */
export async function openPartialFolder(
  path: string,
  plan: SamplePlan,
  kind: TargetKind,
  signal?: AbortSignal,
): Promise<PartialFolder> {
  try {
    await requireTarget(path, kind);
    const target = await followLinks(path);
    const partial = join(dirname(target), `.${basename(target)}.${plan.n}.partial`);
    const release = await claim(path, partial, signal);
    try {
      await requireAlone(path, partial);
      await requireOwn(path, partial, plan);
      mkdirSync(join(partial, SET), { recursive: true });
      await syncFolder(join(partial, SET));
      await syncFolder(partial);
      await syncFolder(dirname(partial));
    } catch (error) {
      release();
      // Not empty unless it is new.
      await rmdir(partial).catch(() => {});
      throw error;
    }
    const set = join(partial, SET);
    const remove = async () => {
      // The lock goes last: whoever comes meanwhile is refused, and whoever comes after finds nothing to go on with.
      for (const name of await readdir(partial)) {
        if (!isLock(name)) await rm(join(partial, name), { recursive: true, force: true });
      }
      release();
      await rmdir(partial).catch(() => {});
    };
    const publish = async () => {
      try {
        await syncFolder(set);
        const replaces = await requireTarget(path, kind);
        if (kind === 'file') await rename(join(set, SET_FILE), target);
        else await exchange(set, target, replaces);
        await syncFolder(dirname(target));
      } catch (error) {
        throw asOutputError(error, path);
      }
      await remove();
    };
    return { path: partial, set, journal: join(partial, JOURNAL), publish, remove, release };
  } catch (error) {
    throw asOutputError(error, path);
  }
}

/** Creates and locks it; again if whoever had it removes it at this moment. */
async function claim(path: string, partial: string, signal?: AbortSignal): Promise<() => void> {
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(partial);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    try {
      return await lockFolder(partial, signal);
    } catch (error) {
      if (error instanceof OutputError) throw new OutputError(`cannot write ${path}: ${error.message}`);
      if (systemErrorCode(error) === 'ENOTDIR') {
        throw new OutputError(`cannot write ${path}: ${partial} is in the way and not ours: remove it`);
      }
      if (systemErrorCode(error) !== 'ENOENT' || attempt === 3) throw error;
    }
  }
}

/** Leaves the plan in a new folder; else compares. */
async function requireOwn(path: string, partial: string, plan: SamplePlan): Promise<void> {
  const names = (await readdir(partial)).filter((name) => !isLock(name));
  const text = `${JSON.stringify(plan, null, 2)}\n`;
  if (!names.includes(PLAN)) {
    // A run that was killed before it had written its plan leaves the beginnings of that alone.
    const foreign = names.find((name) => !(name.startsWith(`.${PLAN}.`) && name.endsWith('.tmp')));
    if (foreign !== undefined) {
      throw new OutputError(
        `cannot write ${path}: ${partial} holds ${brief(foreign)}, which is no part of an unfinished run: remove that folder`,
      );
    }
    for (const name of names) await rm(join(partial, name));
    await writeOutput(join(partial, PLAN), new TextEncoder().encode(text));
    return;
  }
  const found = await readFile(join(partial, PLAN), 'utf8');
  if (found === text) return;
  throw new OutputError(
    `cannot write ${path}: ${partial} holds an unfinished run with ${difference(found, plan)}: finish that one, or remove that folder`,
  );
}

/** Two runs of different n have different folders, yet one target. */
async function requireAlone(path: string, partial: string): Promise<void> {
  const [, start] = /^(.*\.)\d+\.partial$/s.exec(basename(partial))!;
  const isOther = (name: string) =>
    name.startsWith(start) && /^\d+\.partial$/.test(name.slice(start.length)) && name !== basename(partial);
  const other = (await readdir(dirname(partial))).find(isOther);
  if (other === undefined) return;
  const n = Number.parseInt(other.slice(start.length), 10);
  throw new OutputError(
    `cannot write ${path}: ${join(dirname(partial), other)} holds an unfinished run of ${n} samples: finish that one, or remove that folder`,
  );
}

function difference(found: string, plan: SamplePlan): string {
  let other: unknown;
  try {
    other = JSON.parse(found);
  } catch {
    return 'a plan that cannot be read';
  }
  const values = (typeof other === 'object' && other !== null ? other : {}) as Record<string, unknown>;
  const key = Object.keys(plan).find((name) => JSON.stringify(values[name]) !== JSON.stringify(plan[name]));
  return key === undefined ? 'another plan' : `${key} ${brief(values[key])}, not ${brief(plan[key])}`;
}

/** @returns whether there is a sample set to be replaced */
async function requireTarget(path: string, kind: TargetKind): Promise<boolean> {
  if (kind === 'folder') return (await requireFolderTarget(path, isSampleFolder)) === 'ours';
  await requireFileTarget(path);
  return false;
}

/** Killed between the two renames, a later run finds the set complete and puts it in its place. */
async function exchange(set: string, target: string, replaces: boolean): Promise<void> {
  if (!replaces) return rename(set, target);
  const former = temporaryPath(target);
  await rename(target, former);
  try {
    await rename(set, target);
  } catch (error) {
    await rename(former, target);
    throw error;
  }
  await rm(former, { recursive: true, force: true });
}
