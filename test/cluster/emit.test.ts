import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { shellWords } from '../../src/cluster/emit/emit.js';
import { parallelScripts } from '../../src/cluster/emit/parallel.js';
import { slurmScripts } from '../../src/cluster/emit/slurm.js';
import { encodeModel } from '../../src/flows/index.js';
import { ownFolder, untrained } from '../sampling/generators.js';
import { directives, execute, FACTS, outcome } from './scripts.js';

test('words of a command reach a shell as they are', async (t) => {
  const words = ['plain', '', 'a b', "it's", '$HOME', '`x`', 'A=b', '*', '~', '#', 'a"b', 'ü', '!'];
  const { stdout } = await execute('sh', ['-c', `printf '%s\\n' ${shellWords(words)}`]);
  t.deepEqual(stdout.split('\n').slice(0, -1), words);
});

test('all scripts are well-formed, whatever the paths', async (t) => {
  const facts = { ...FACTS, run: `/a 'b' "c" $d \`e\` %f`, command: ["/it's/node", '/x y/main.js'] };
  const files = [
    ...slurmScripts(facts, { time: '60', cpus: 4, maxArray: 1000, maxRunning: 5 }),
    ...parallelScripts(facts, { threads: 2, sshLoginFile: "/it's" }),
  ];
  t.is(files.length, 5);
  for (const { text } of files) await t.notThrowsAsync(execute('bash', ['-n', '-c', text]));
});

test('what is to be run may be run', async (t) => {
  const folder = await ownFolder(t);
  const run = join(folder, 'run');
  const main = new URL('../../src/cli/main.js', import.meta.url).pathname;
  const equiflow = (...args: string[]) => outcome(process.execPath, [main, ...args], process.env);
  await writeFile(join(folder, 'model.safetensors'), encodeModel(untrained()));
  await equiflow('plan', 'sample', join(folder, 'model.safetensors'), '-n', '10', '--shards', '1', '--out', run);
  const slurm = await equiflow('emit', 'slurm', '--plan', run, '--extra=--qos=a', '--extra=--nice');
  t.is(slurm.code, 0, slurm.stderr);
  t.regex(slurm.stdout, /slurm\/shard.sbatch\n.*slurm\/merge.sbatch\n.*slurm\/submit.sh\nnext: .*slurm\/submit.sh\n$/);
  const shard = await readFile(join(run, 'slurm/shard.sbatch'), 'utf8');
  t.true(directives(shard).includes('--qos=a') && directives(shard).includes('--nice'));
  t.true(shard.includes(`exec ${shellWords([process.execPath, main])} shard --plan ${run} `));
  t.is((await equiflow('emit', 'parallel', '--plan', run)).code, 0);
  for (const name of ['slurm/submit.sh', 'parallel/run.sh', 'parallel/shard.sh'])
    t.is((await stat(join(run, name))).mode & 0o100, 0o100, name);
  t.true((await readFile(join(run, 'slurm/merge.sbatch'), 'utf8')).includes(`--out ${join(run, 'samples')} `));

  const bogus = await equiflow('emit', 'slurm', '--plan', run, '--bogus');
  t.deepEqual([bogus.code, bogus.stderr], [2, "equiflow: unknown option '--bogus'\n"]);
  t.is((await equiflow('emit', 'slurm', '--plan', folder)).code, 66);
  t.is((await equiflow('emit', 'slurm', '--plan', run, '--command', ' ')).code, 2);
});
