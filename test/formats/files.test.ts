import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { DataError, InputError, IoError, OutputError } from '../../src/errors.js';
import {
  checkWritable,
  readInput,
  removeTemporaries,
  writeOutput,
  writeOutputFolder,
} from '../../src/formats/index.js';
import { asInputError, asOutputError } from '../../src/formats/system-errors.js';
import { ownFolder } from '../own-folder.js';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const other = Uint8Array.of(1, 2, 3);

test('what is written is read again, over an older file as well', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.bin');
  for (const content of [bytes, other, new Uint8Array(0)]) {
    await checkWritable(path);
    await writeOutput(path, content);
    t.deepEqual(new Uint8Array(await readInput(path)), content);
  }
  t.deepEqual(await readdir(folder), ['a.bin']);
});

test('names as long as the file system takes can be written', async (t) => {
  const folder = await ownFolder(t);
  for (const name of ['n'.repeat(255), '₁'.repeat(85)]) {
    await writeOutput(join(folder, name), other);
    t.true(existsSync(join(folder, name)));
  }
});

test('a symbolic link stays and its target is replaced', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'real'), bytes);
  await symlink('real', join(folder, 'link'));
  await writeOutput(join(folder, 'link'), other);
  t.true((await lstat(join(folder, 'link'))).isSymbolicLink());
  t.deepEqual(new Uint8Array(await readFile(join(folder, 'real'))), other);
});

test('inputs that are missing, folders or below a file are refused by name', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'file'), bytes);
  for (const path of [join(folder, 'none'), folder, join(folder, 'file', 'a')]) {
    const error = await t.throwsAsync(readInput(path), { instanceOf: InputError });
    t.true(error?.message.startsWith(`cannot read ${path}: `));
  }
});

test('outputs that cannot be created are refused and leave nothing behind', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'file'), bytes);
  await mkdir(join(folder, 'sub'));
  const socket = join(folder, 'socket');
  const server = createServer();
  await new Promise<void>((listening) => server.listen(socket, listening));
  t.teardown(() => server.close());
  const before = await readdir(folder);
  const paths = ['', folder, join(folder, 'sub'), `${join(folder, 'a')}/`, socket];
  for (const path of [...paths, join(folder, 'none', 'a'), join(folder, 'file', 'a')]) {
    await t.throwsAsync(checkWritable(path), { instanceOf: OutputError, message: /^cannot write / }, path);
    await t.throwsAsync(writeOutput(path, bytes), { instanceOf: OutputError, message: /^cannot write / }, path);
  }
  t.deepEqual(await readdir(folder), before);
  t.deepEqual(await readdir(join(folder, 'sub')), []);
});

test('a failing device is told from a bad path, and other errors stay what they are', (t) => {
  const system = (code: string) => Object.assign(new Error(code), { code, syscall: 'write' });
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO']) t.true(asOutputError(system(code), 'a') instanceof IoError);
  for (const code of ['EACCES', 'EROFS', 'ENOENT', 'EISDIR', 'EPERM']) {
    t.true(asOutputError(system(code), 'a') instanceof OutputError);
  }
  for (const code of ['EACCES', 'ENOENT', 'EISDIR']) t.true(asInputError(system(code), 'a') instanceof InputError);
  t.true(asInputError(system('EIO'), 'a') instanceof IoError);
  for (const error of [new TypeError('bug'), new DataError('bad')]) t.is(asOutputError(error, 'a'), error);
});

// Serial, because the registry of temporaries is shared by the whole thread.
test.serial('a write that a signal handler interrupts leaves the older file and no temporary', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.bin');
  await writeFile(path, other);
  const writing = t.throwsAsync(writeOutput(path, new Uint8Array(1 << 24)), { instanceOf: OutputError });
  // The rename happens on this thread: while the temporary is seen here, it has not happened yet.
  while (readdirSync(folder).length === 1) await setImmediate();
  t.regex(readdirSync(folder).sort()[0], new RegExp(`^\\.a\\.bin\\.${process.pid}\\.[0-9a-f]+\\.tmp$`));
  removeTemporaries();
  await writing;
  t.deepEqual(await readdir(folder), ['a.bin']);
  t.deepEqual(new Uint8Array(await readFile(path)), other);
});

test('a folder appears whole under its name', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'samples');
  await writeOutputFolder(path, async (temporary) => {
    t.false(existsSync(path));
    await mkdir(join(temporary, 'inner'));
    await writeOutput(join(temporary, 'inner', 'x.npy'), bytes);
    await writeFile(join(temporary, 'manifest.json'), '{}');
  });
  t.deepEqual(await readdir(folder), ['samples']);
  t.deepEqual((await readdir(path)).sort(), ['inner', 'manifest.json']);
});

test('an empty folder may be filled; a foreign one, a file or a missing parent stops before the work', async (t) => {
  const folder = await ownFolder(t);
  const [empty, full] = [join(folder, 'empty'), join(folder, 'full')];
  await mkdir(empty);
  await mkdir(full);
  await writeFile(join(full, 'thesis.tex'), 'text');
  await writeOutputFolder(`${empty}/`, (temporary) => writeFile(join(temporary, 'a'), 'a'));
  t.deepEqual(await readdir(empty), ['a']);
  const refused = [full, join(full, 'thesis.tex'), join(folder, 'none', 'a'), join(full, 'thesis.tex', 'a')];
  for (const path of refused) {
    const writing = writeOutputFolder(path, async () => t.fail(), { replaces: async () => false });
    await t.throwsAsync(writing, { instanceOf: OutputError });
  }
  t.deepEqual(await readdir(full), ['thesis.tex']);
  t.deepEqual((await readdir(folder)).sort(), ['empty', 'full']);
});

test('a folder of ours is replaced as a whole', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'samples');
  const replaces = async (target: string) => existsSync(join(target, 'manifest.json'));
  for (const name of ['first', 'second']) {
    const write = async (temporary: string) => {
      await writeFile(join(temporary, 'manifest.json'), '{}');
      await writeFile(join(temporary, name), name);
    };
    await writeOutputFolder(path, write, { replaces });
  }
  t.deepEqual((await readdir(path)).sort(), ['manifest.json', 'second']);
  t.deepEqual(await readdir(folder), ['samples']);
});

test('a folder whose writing fails leaves the older one, nothing else, and the error as it was', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'samples');
  await mkdir(path);
  const failure = new DataError('bad');
  const thrown = await t.throwsAsync(
    writeOutputFolder(path, async (temporary) => {
      await writeFile(join(temporary, 'a'), 'a');
      throw failure;
    }),
  );
  t.is(thrown, failure);
  t.deepEqual(await readdir(folder), ['samples']);
  t.deepEqual(await readdir(path), []);
});

test('files that appear in the target during the work are not overwritten', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'samples');
  const writing = writeOutputFolder(path, async () => {
    await mkdir(path);
    await writeFile(join(path, 'thesis.tex'), 'text');
  });
  await t.throwsAsync(writing, { instanceOf: OutputError });
  t.deepEqual(await readdir(path), ['thesis.tex']);
  t.deepEqual(await readdir(folder), ['samples']);
});

for (const [signal, left] of [
  ['SIGKILL', /^\.samples\.\d+\.[0-9a-f]+\.tmp$/],
  ['SIGTERM', undefined],
] as const) {
  test(`a process ended by ${signal} leaves no final folder and ${left ? 'a recognisable' : 'no'} temporary`, async (t) => {
    const folder = await ownFolder(t);
    const formats = new URL('../../src/formats/index.js', import.meta.url).href;
    const script = `
      import { writeFileSync } from 'node:fs';
      import { removeTemporaries, writeOutputFolder } from '${formats}';
      process.on('SIGTERM', () => { removeTemporaries(); process.exit(75); });
      await writeOutputFolder(process.argv[1], async (folder) => {
        writeFileSync(folder + '/x.npy', 'partial');
        process.stdout.write('ready');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, join(folder, 'samples')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    await new Promise((ready) => child.stdout.once('data', ready));
    child.kill(signal);
    await new Promise((exit) => child.once('exit', exit));
    const names = await readdir(folder);
    t.is(names.length, left ? 1 : 0);
    if (left) t.regex(names[0], left);
  });
}
