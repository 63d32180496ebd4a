import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { agree, blocksOf, CLUSTER_DOCUMENTS, documents, PROJECT, readerFolder, runBlock } from './documents.js';

const read = (path: string) => readFile(join(PROJECT, path), 'utf8');

for (const path of await documents()) {
  test.serial(`${path}: commands and programs run and print what it says`, async (t) => {
    const folder = await readerFolder();
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const blocks = blocksOf(await read(path));
    for (const block of blocks) {
      if (block.skip !== undefined || block.needs !== undefined) continue;
      const printed = await runBlock(block, folder);
      if (block.output === undefined || agree(printed, block.output.text)) continue;
      t.is(
        printed,
        block.output.text,
        `${path}:${block.from}; if right, node dist/test/docs/refresh.js writes it there`,
      );
    }
    t.pass();
  });

  test(`${path}: links lead to files and headings that exist`, async (t) => {
    for (const [, target, anchor] of (await read(path)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)) {
      const file = target === '' ? path : join(dirname(path), target);
      t.true(existsSync(join(PROJECT, file)), `no ${file}`);
      if (anchor !== undefined)
        t.true(anchorsOf(await read(file)).includes(anchor), `no heading #${anchor} in ${file}`);
    }
    t.pass();
  });
}

/** Headings as links name them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('the README shows the example as the file has it', async (t) => {
  const programs = blocksOf(await read('README.md')).filter((block) => block.kind === 'js');
  t.deepEqual(
    programs.map((block) => `${block.text}\n`),
    [await read('examples/ten-lines.mjs')],
  );
});

test('the README lists the commands and exit codes that there are', async (t) => {
  const folder = await readerFolder();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const help = await runBlock({ kind: 'sh', from: 0, text: 'equiflow --help' }, folder);
  const readme = await read('README.md');
  const commands = [...help.matchAll(/^ {2}([a-z-]+)(?: \[options\]| {3,})/gm)].map(([, name]) => name);
  const codes = [...help.slice(help.indexOf('Exit codes:')).matchAll(/\b(\d+) [a-zI]/g)].map(([, code]) => code);
  t.true(commands.length >= 10 && codes.length >= 9);
  const rows = (pattern: RegExp) => [...readme.matchAll(pattern)].map(([, name]) => name).sort();
  t.deepEqual(rows(/^\| `equiflow ([a-z-]+)/gm), commands.sort());
  t.deepEqual(rows(/^\| (\d+) \|/gm), codes.sort());
});

test('the README asks for the Node.js that the manifest asks for', async (t) => {
  const { engines } = JSON.parse(await read('package.json'));
  t.true((await read('README.md')).includes(`Node.js ${engines.node.replace('>=', '≥ ')}`));
});

test('blocks that are skipped say why, and are few', async (t) => {
  const skipped = (await Promise.all((await documents()).map(async (path) => blocksOf(await read(path)))))
    .flat()
    .filter((block) => block.skip !== undefined);
  t.true(skipped.length <= 8, `${skipped.length} blocks are not run`);
});

test('blocks that need a scheduler are in documents that test:cluster follows, where nothing is skipped', async (t) => {
  let marked = 0;
  for (const path of await documents()) {
    const blocks = blocksOf(await read(path));
    const needy = blocks.filter((block) => block.needs !== undefined);
    if (CLUSTER_DOCUMENTS.includes(path))
      t.true(needy.length > 0 && blocks.every((block) => block.skip === undefined), path);
    else t.deepEqual(needy, [], path);
    marked += needy.length;
  }
  t.true(marked > 0);
});

test('a document is read as blocks with their files, outputs and exceptions', (t) => {
  const fence = '```';
  const text = [
    '<!-- file: a.yaml -->',
    `${fence}yaml`,
    'a: 1',
    fence,
    'text',
    `${fence}sh`,
    'echo 1',
    'echo 2',
    fence,
    '',
    `${fence}text`,
    '1',
    '2',
    fence,
    '<!-- skip: slow -->',
    `${fence}js`,
    'x',
    fence,
    'not an output:',
    `${fence}text`,
    'y',
    fence,
    '<!-- needs: slurm -->',
    `${fence}sh`,
    'sbatch',
    fence,
  ].join('\n');
  t.deepEqual(blocksOf(text), [
    { kind: 'file', from: 2, to: 3, text: 'a: 1', path: 'a.yaml' },
    { kind: 'sh', from: 6, to: 8, text: 'echo 1\necho 2', output: { from: 11, to: 13, text: '1\n2' } },
    { kind: 'js', from: 16, to: 17, text: 'x', skip: 'slow' },
    { kind: 'sh', from: 24, to: 25, text: 'sbatch', needs: 'slurm' },
  ]);
  t.throws(() => blocksOf(`${fence}sh\necho`), { message: /never closed/ });
});

test('outputs agree if words are equal and numbers close', (t) => {
  t.true(agree('ESS 101 (k 0.21)', 'ESS 102 (k 0.22)'));
  t.false(agree('ESS 101', 'ESS 111'));
  t.false(agree('sound 1', 'unsound 1'));
  t.false(agree('1', '1 2'));
});
