import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { IoError, OutputError } from '../../src/errors.js';
import { sampleToFolder, sampleToHdf5 } from '../../src/sampling/index.js';
import { contents, openPool, ownFolder, sameSet, untrained } from './generators.js';

const BLOCK = 32_768;
const N = 3 * BLOCK + 4_099;
const OPTIONS = { n: N, seed: 1, model: 'test' };
const FORMATS = { folder: sampleToFolder, 'file.h5': sampleToHdf5 } as const;

/** A file system of its own in memory, or undefined where this process may not mount one. */
async function device(t: ExecutionContext, options: string): Promise<string | undefined> {
  const path = join(await ownFolder(t), 'device');
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    t.log(`skipped: may not mount a tmpfs with ${options}`);
    return undefined;
  }
  t.teardown(() => execFileSync('umount', [path]));
  return path;
}

for (const [name, sampleTo] of Object.entries(FORMATS)) {
  test.serial(
    `${name}: a disk that fills up underway ends the run clearly, and with room it goes on from there`,
    async (t) => {
      const folder = await device(t, 'size=24m');
      if (folder === undefined) return t.pass();
      const pool = openPool(t, 2);
      const whole = join(await ownFolder(t), 'whole');
      await sampleToFolder(whole, untrained(), OPTIONS, pool);
      const path = join(folder, name);
      const onProgress = ({ done }: { done: number }) => {
        if (done !== 2 * BLOCK) return;
        // Somebody else takes the rest, as far as there is any.
        for (let i = 0; ; i++) {
          try {
            writeFileSync(join(folder, `other-${i}`), Buffer.alloc(1 << 16));
          } catch {
            return;
          }
        }
      };
      const options = { ...OPTIONS, checkpointSeconds: 0, onProgress };
      const error = await t.throwsAsync(sampleTo(path, untrained(), options, pool), { instanceOf: IoError });
      t.regex(error!.message, /^cannot write .*\(ENOSPC\); \d+ of 102403 samples are kept: run it again to go on$/);
      const others = (await readdir(folder)).filter((entry) => entry.startsWith('other-'));
      await Promise.all(others.map((entry) => rm(join(folder, entry))));
      t.deepEqual(await readdir(folder), [`.${name}.${N}.partial`]);
      const stages: string[] = [];
      await sampleTo(path, untrained(), { ...OPTIONS, onProgress: ({ stage }) => stages.push(stage) }, pool);
      t.is(stages[0], 'checking what is there');
      t.deepEqual(await readdir(folder), [name]);
      if (name === 'folder') t.deepEqual(await contents(path), await contents(whole));
      else await sameSet(t, path, whole);
    },
  );

  test.serial(`${name}: a disk that is too small is refused before the work, with both sizes`, async (t) => {
    const folder = await device(t, 'size=1m');
    if (folder === undefined) return t.pass();
    await t.throwsAsync(sampleTo(join(folder, name), untrained(), OPTIONS, openPool(t, 1)), {
      instanceOf: IoError,
      message: /102403 samples need [\d.]+ GB, and 0\.00[\d]+ GB are free there/,
    });
    t.deepEqual(await readdir(folder), []);
  });

  test.serial(`${name}: a folder that may not be written is refused by name`, async (t) => {
    // Permissions do not bind the superuser, a device that is mounted read-only does.
    const superuser = process.getuid?.() === 0;
    const parent = superuser ? await device(t, 'ro') : join(await ownFolder(t), 'closed');
    if (parent === undefined) return t.pass();
    if (!superuser) {
      mkdirSync(parent);
      chmodSync(parent, 0o555);
    }
    await t.throwsAsync(sampleTo(join(parent, name), untrained(), OPTIONS, openPool(t, 1)), {
      instanceOf: OutputError,
      message: /cannot write \S+: (permission denied \(EACCES\)|the file system is read-only \(EROFS\))/,
    });
    t.deepEqual(await readdir(parent), []);
  });
}
