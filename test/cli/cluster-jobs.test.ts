import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { encodeNpy } from '../../src/formats/index.js';
import { contents, equiflow, ownFolder, succeeds } from './command-line.js';

/* Whole runs as a user makes them: a command in one process, and the same cut into shards, one of which is interrupted. */

const QUESTION = '--observable rg mine=u.npy --profile energy rg:12:1,4:2.5 --states rg<2 rg>=2';

const JOBS = [
  {
    name: 'simulate',
    line: 'simulate dw4 -n 3001 --chains 300 --stride 200 --seed 7',
    out: 'out.npz',
    stage: 'simulating',
  },
  { name: 'reweight', line: `reweight samples ${QUESTION}`, out: 'out.csv' },
  { name: 'reweight-other', line: `reweight samples.npz --system dw4 --kT 1.2 ${QUESTION}`, out: 'out.npz' },
] as const;

for (const job of JOBS) {
  test(`${job.name}: shards, merged, print and write what one process does`, async (t) => {
    const folder = await ownFolder(t);
    const { name, line, out } = job;
    if (name !== 'simulate') {
      await succeeds(t, folder, 'simulate dw4 -n 500 --warm-up 500 --out data.npz --quiet');
      await succeeds(t, folder, 'train dw4 --data data.npz --steps 5 --batch 64 --out model.safetensors --quiet');
      for (const set of ['samples', 'samples.npz']) {
        await succeeds(t, folder, `sample model.safetensors -n 90001 --seed 5 --out ${set} --quiet`);
      }
      await succeeds(t, folder, 'energy dw4 --in samples/x.npy --out u.npy');
    }
    const text = await succeeds(t, folder, `${line} --out ${out} --quiet`);
    const json = await succeeds(t, folder, `${line} --out again.${out.slice(4)} --json --quiet`);
    const expected = (await contents(folder)).get(out)!;

    // The first index is 1, as some schedulers count, and the shards are done from another folder.
    const planned = JSON.parse(await succeeds(t, folder, `plan ${line} --shards 4 --first-index 1 --out run --json`));
    t.is(planned.shards, 4);
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    const run = join(folder, 'run');
    if ('stage' in job) {
      let sent = false;
      const halted = await equiflow(
        elsewhere,
        ['shard', '--plan', run, '--index', '2', '--workers', '1'],
        (child, stderr) => {
          if (!sent && stderr.includes(`${job.stage} `)) sent = child.kill('SIGTERM');
        },
      );
      // A shard of a few blocks may be done before the signal is there.
      t.true(halted.code === 75 || (sent && halted.code === 0), halted.stderr);
    }
    for (const index of [4, 2, 1, 3]) await succeeds(t, elsewhere, `shard --plan ${run} --index ${index} --quiet`);
    t.is(await succeeds(t, folder, 'status --plan run --missing'), '');
    t.is(await succeeds(t, folder, `merge --plan run --out ${out} --quiet`), text);
    t.true((await contents(folder)).get(out)!.equals(expected));
    t.is(await succeeds(t, folder, `merge --plan run --out again.${out.slice(4)} --json --quiet`), json);
    await succeeds(t, folder, 'emit parallel --plan run');
    const script = await readFile(join(run, 'parallel', 'run.sh'), 'utf8');
    t.true(script.includes(`--out ${join(run, name === 'simulate' ? 'data.npz' : 'profiles.csv')}`), script);
    const verified = JSON.parse(await succeeds(t, folder, 'verify --plan run --recompute 3 --json --quiet'));
    t.deepEqual([verified.shards, verified.recomputed], [4, 3]);
    const again = await equiflow(folder, `verify --plan run --merged ${out} --recompute 3 --json --quiet`.split(' '));
    if (name === 'simulate') t.is(JSON.parse(again.stdout).recomputed, 3);
    else t.is(again.code, 2, again.stderr);
  });
}

test('a merge says what it lacks, a plan what it cannot cut', async (t) => {
  const folder = await ownFolder(t);
  const ends = async (line: string, code: number, message: RegExp) => {
    const { stderr, stdout, ...outcome } = await equiflow(folder, line.split(' '));
    t.is(outcome.code, code, stderr);
    t.is(stdout, '');
    t.regex(stderr, message);
  };
  await succeeds(t, folder, 'plan simulate dw2 -n 640 --chains 64 --warm-up 10 --shards 2 --out run');
  await succeeds(t, folder, 'shard --plan run --index 1 --quiet');
  await ends('merge --plan run --out o.npz', 66, /of 2 shards 1 missing \(0\)\n$/);
  await ends('merge --plan run --out o.h5', 2, /--out o\.h5: expected a name that ends in \.npz\n$/);
  await ends('plan simulate dw2 -n 640 --shards 17 --out other', 2, /since shards begin at multiples of 4 chains\n$/);
  await ends(
    'plan simulate lj55:pairFactor=2 -n 10000000 --shards 2 --out other',
    2,
    /expected at most .* in a \.npz\n$/,
  );
  await ends('plan reweight nowhere.npz --shards 2 --out other', 66, /nowhere\.npz/);
  await ends('plan reweight --shards 2 --out other', 2, /give a sample set, or --log-q/);
  await ends('plan reweight run --shards 2 --out run', 73, /the folder holds other files/);
});

test('without a number of shards one is chosen by the speed here: as few as take no longer than asked', async (t) => {
  const folder = await ownFolder(t);
  const plan = async (line: string) => JSON.parse(await succeeds(t, folder, `plan ${line} --json`));
  const few = await plan('simulate dw2 -n 640 --chains 640 --warm-up 10 --stride 1 --out few');
  t.deepEqual([few.shards, few.choice.shards, few.choice.units], [1, 1, 640]);
  t.regex(few.choice.text, /chains a second and thread measured here/);
  // A millionth of a minute is too short for any shard: each has four chains for each thread, or one block.
  const many = await plan('simulate dw2 -n 640 --chains 640 --minutes 1e-6 --threads 2 --out many');
  t.deepEqual([many.shards, many.choice.units], [80, 8]);
  await writeFile(join(folder, 'v.npy'), encodeNpy({ shape: [20_000], data: new Float64Array(20_000) }));
  const arrays = 'reweight --log-q v.npy --energy v.npy --quiet';
  t.is((await plan(`${arrays} --minutes 1e-6 --threads 1 --out blocks`)).shards, 5);
  t.is((await plan(`${arrays} --out block`)).shards, 1);
  const { stderr, code } = await equiflow(folder, `plan ${arrays} --shards 2 --threads 2 --out o`.split(' '));
  t.is(code, 2, stderr);
});
