import { existsSync } from 'node:fs';
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { contents, equiflow, ownFolder, succeeds } from './command-line.js';

/** A folder with an untrained model of DW4. */
async function prepared(t: ExecutionContext): Promise<string> {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 64 --warm-up 100 --out few.npz --quiet');
  await succeeds(t, folder, 'train dw4 --data few.npz --steps 0 --integrator-steps 4 --out m.safetensors --quiet');
  return folder;
}

/** Where shards stand that are not whole. */
const WRITERS = join('run', 'shards', 'writers');

test.serial('from plan to verified merge: files, figures and text of one process, whichever options', async (t) => {
  const folder = await prepared(t);
  for (const [k, { options, out }] of [
    { options: '-n 30000 --seed 7', out: 'set' },
    { options: '-n 20000 --seed 7 --first 12 --precision f64 --rtol 1e-4', out: 'set.npz' },
    { options: '-n 9000 --steps 6 --relaxed', out: 'set' },
  ].entries()) {
    const run = `run${k}`;
    const one = await succeeds(t, folder, `sample m.safetensors ${options} --out ${out} --quiet`);
    const expected = await contents(join(folder, out)).catch(() => readFile(join(folder, out)));
    await rm(join(folder, out), { recursive: true });
    await succeeds(t, folder, `plan sample m.safetensors ${options} --shards 3 --first-index 1 --out ${run}`);
    for (const index of [3, 1, 2]) {
      const line = await equiflow(folder, ['shard', '--plan', run, '--index', 'auto'], undefined, {
        SGE_TASK_ID: String(index),
        NSLOTS: '1',
      });
      t.is(line.code, 0, line.stderr);
      t.regex(line.stdout, new RegExp(`^shard ${index}: samples \\d+ to \\d+ done\\n$`));
    }
    t.is(await succeeds(t, folder, `status --plan ${run} --missing`), '');
    const merged = await succeeds(t, folder, `merge --plan ${run}/plan.json --out ${out} --quiet`);
    t.is(await succeeds(t, folder, `merge --plan ${run} --quiet`), merged.replace(/^[^:]+/, run));
    // What the adaptive integrator did is known to those who drew.
    t.is(merged, one.replace(/^dopri5: .*\n/m, ''));
    const found = await contents(join(folder, out)).catch(() => readFile(join(folder, out)));
    t.deepEqual(found, expected, options);
    const { shards, blocks, recomputed } = JSON.parse(
      await succeeds(t, folder, `verify --plan ${run} --recompute 2 --json --quiet`),
    );
    t.deepEqual([shards, blocks, recomputed], [3, 3, 2]);
    t.regex(
      await succeeds(t, folder, `verify --plan ${run} --merged ${out} --recompute 1 --seed 4 --quiet`),
      /^set.*: 1 blocks are what was written; 1 of them computed again with the same bytes \(seed 4\)\n$/,
    );
  }
});

test.serial(
  'status says what is done, running, missing and damaged, for people, programs and schedulers',
  async (t) => {
    const folder = await prepared(t);
    await succeeds(t, folder, 'plan sample m.safetensors -n 60000 --shards 6 --out run');
    for (const index of [0, 1, 4]) await succeeds(t, folder, `shard --plan run --index ${index} --quiet`);
    const at = (name: string) => join(folder, 'run', 'shards', name);
    await writeFile(at('writers/.00003.safetensors.99.abc.tmp'), '');
    await writeFile(at('00001.json'), '{');
    t.is(await succeeds(t, folder, 'status --plan run --missing'), '1-2,5\n');
    t.is(await succeeds(t, folder, 'status --plan run --unfinished'), '1-3,5\n');
    t.is(await succeeds(t, folder, 'status --plan run --missing --lines'), '1\n2\n5\n');
    const text = await succeeds(t, folder, 'status --plan run');
    t.regex(text, /^run: 20000 of 60000 samples in 2 of 6 shards \(33\.3 %\)\n/);
    t.regex(text, /^running +1 +3$/m);
    t.regex(text, /^missing +3 +1-2,5$/m);
    t.regex(text, /^ {2}run\/shards\/00001\.json: not the manifest of a shard$/m);
    const status = JSON.parse(await succeeds(t, folder, 'status --plan run --json'));
    t.deepEqual(
      [status.shards, status.samples, status.done, status.running, status.missing],
      [6, 60000, [0, 4], [3], [1, 2, 5]],
    );
    t.is(status.damaged[0].index, 1);
  },
);

test.serial(
  'a shard that is terminated ends with 75; terminated or killed, it goes on from its blocks, to the bytes of one process',
  async (t) => {
    const folder = await prepared(t);
    const set = '-n 140000 --steps 200 --seed 3';
    await succeeds(t, folder, `plan sample m.safetensors ${set} --shards 1 --out run --json`);
    const line = ['shard', '--plan', 'run', '--index', '0', '--workers', '1'];
    const stop = (signal: NodeJS.Signals) => {
      let sent = false;
      return equiflow(folder, line, (child, stderr) => {
        if (!sent && /sampling +\d+ %/.test(stderr)) sent = child.kill(signal);
      });
    };
    const terminated = await stop('SIGTERM');
    t.is(terminated.code, 75);
    t.regex(
      terminated.stderr,
      /equiflow: shard 0 was interrupted at [1-9]\d* of 140000 samples; run it again to go on\n$/,
    );
    t.deepEqual(await readdir(join(folder, WRITERS)), ['00000.part']);
    t.is((await stop('SIGKILL')).code, null);
    // What it went on from is in the hands of the killed one, which is not known to be dead before it has been silent for long.
    const [killed, ...more] = await readdir(join(folder, WRITERS));
    t.deepEqual(more, []);
    t.regex(await succeeds(t, folder, 'status --plan run'), /^running +1 +0$/m);
    await utimes(join(folder, WRITERS, killed), 0, 0);
    t.regex(await succeeds(t, folder, 'status --plan run'), /^missing +1 +0$/m);
    t.regex(await succeeds(t, folder, 'shard --plan run --index 0 --quiet'), /done, [1-9]\d* of them before\n$/);
    // One that was killed long ago, and one that was interrupted when another had done the shard.
    const left = ['.00000.safetensors.7.a.tmp', '00000.part'].map((name) => join(folder, WRITERS, name));
    for (const path of left) await writeFile(path, '');
    await utimes(left[0], 0, 0);
    await succeeds(t, folder, 'merge --plan run --out merged --quiet');
    for (const path of left) t.false(existsSync(path));
    await succeeds(t, folder, `sample m.safetensors ${set} --out one --quiet`);
    t.deepEqual(await contents(join(folder, 'merged')), await contents(join(folder, 'one')));
  },
);

/** Command lines that must be refused in a folder with a run of three shards, of which the first is done. */
const REFUSED: readonly (readonly [line: string, code: number, message: RegExp])[] = [
  ['plan train', 2, /unknown command 'train'/],
  ['plan sample m.safetensors -n 100 --shards 101 --out new', 2, /101 shards of 100 samples, expected .* 1 to 100$/],
  ['plan sample m.safetensors -n 100 --shards 0 --out new', 2, /--shards.*'0', expected an integer from 1/],
  ['plan sample m.safetensors -n 100 --shards 2 --first-index 2 --out new', 2, /--first-index.*'2', expected/],
  ['plan sample m.safetensors -n 100 --shards 2 --steps 3 --rtol 1 --out new', 2, /--rtol belongs to/],
  ['plan sample few.npz -n 100 --shards 2 --out new', 65, /few\.npz: /],
  ['plan sample none -n 100 --shards 2 --out new', 66, /cannot read none/],
  ['plan sample m.safetensors -n 100 --shards 2 --out run', 73, /run: the folder holds other files/],
  ['plan sample m.safetensors -n 100 --shards 2 --out none/new', 73, /cannot write none\/new/],
  ['shard --plan run --index 3', 2, /shard 3: no such shard, expected an index from 0 to 2; for a scheduler that/],
  ['shard --plan run --index last', 2, /--index.*'last', expected the index of a shard, or auto/],
  ['shard --plan run --index -1', 2, /--index/],
  ['shard --plan run --index auto', 2, /--index auto: this is no task of an array/],
  ['shard --index 0', 2, /required option '--plan <path>'/],
  ['shard --plan none --index 0', 66, /cannot read none/],
  ['shard --plan few.npz --index 0', 65, /few\.npz: .* UTF-8|few\.npz: not valid JSON/],
  ['status --plan few.npz', 65, /few\.npz/],
  ['status --plan run --missing --json', 2, /cannot be used with/],
  ['status --plan run --lines --json', 2, /cannot be used with/],
  ['merge --plan run --out new', 66, /run: of 3 shards 2 missing \(1-2\)$/],
  ['merge --plan run', 66, /run: of 3 shards 2 missing/],
  ['merge --plan run --out few.npz/new', 73, /few\.npz/],
  ['verify --plan run --recompute all', 2, /--recompute.*'all', expected an integer/],
];

test.serial('what makes no sense is refused in one line, and nothing is written', async (t) => {
  const folder = await prepared(t);
  await succeeds(t, folder, 'plan sample m.safetensors -n 30000 --shards 3 --out run');
  await succeeds(t, folder, 'shard --plan run --index 0 --quiet');
  const before = await contents(folder);
  for (const [line, code, message] of REFUSED) {
    const { code: found, stdout, stderr } = await equiflow(folder, line.split(' '));
    t.is(found, code, `${line}: ${stderr}`);
    t.is(stdout, '', line);
    t.regex(stderr.trimEnd(), message, line);
    t.regex(stderr, /^equiflow: [^\n]*\n$/, line);
  }
  t.deepEqual(await contents(folder), before);
  const environment = { SLURM_ARRAY_TASK_ID: '1', JOB_COMPLETION_INDEX: '2' };
  const disagree = await equiflow(folder, ['shard', '--plan', 'run', '--index', 'auto'], undefined, environment);
  t.is(disagree.code, 2);
  t.regex(disagree.stderr, /SLURM_ARRAY_TASK_ID.*JOB_COMPLETION_INDEX/);
});
