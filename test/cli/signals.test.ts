import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { contents, equiflow, type Outcome, ownFolder, succeeds } from './command-line.js';

/** Runs a command line and sends it a signal as soon as it has reported the stage, which is when work is under way. */
async function interrupt(folder: string, line: string, signal: NodeJS.Signals, stage: string): Promise<Outcome> {
  let sent = false;
  return equiflow(folder, line.split(' '), (child, stderr) => {
    if (!sent && stderr.includes(`${stage} `)) sent = child.kill(signal);
  });
}

function isInterrupted(t: ExecutionContext, { code, stdout, stderr }: Outcome): void {
  t.is(code, 75, stderr);
  t.is(stdout, '');
  const last = stderr.trimEnd().split('\n').at(-1)!;
  t.true(last.startsWith('equiflow: '), last);
  // What a user can do, and not which of our tasks it was.
  t.regex(last, /; run (it )?again/);
}

/* Without the signal each of these would take many seconds. */
const LONG: readonly (readonly [stage: string, line: string])[] = [
  ['simulating', 'simulate dw4 -n 64000 --stride 20000 --out o.npz'],
  ['minimising', 'minimize dw4 --in wide.npz --out o.npz'],
  ['sampling', 'sample slow.safetensors -n 200000 --out o.npz'],
  ['sampling', 'sample slow.safetensors -n 200000 --out o'],
  ['log-densities', 'log-prob slow.safetensors --in wide.npz --out o.npy'],
  ['simulating', 'paper --out o'],
  ['training', 'paper --out o'],
];

test.serial('an interrupted command ends with 75 and leaves neither outputs nor temporary files', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 100000 --stride 1 --warm-up 100 --out wide.npz --quiet');
  await succeeds(t, folder, 'simulate dw4 -n 64 --warm-up 100 --out few.npz --quiet');
  await succeeds(
    t,
    folder,
    'train dw4 --data few.npz --steps 0 --integrator-steps 1000 --out slow.safetensors --quiet',
  );
  const before = [...(await contents(folder)).keys()];
  for (const [index, [stage, line]] of LONG.entries()) {
    const signal = index % 2 === 0 ? 'SIGINT' : 'SIGTERM';
    isInterrupted(t, await interrupt(folder, line, signal, stage));
    t.deepEqual([...(await contents(folder)).keys()], before, line);
  }
});

test.serial('training that is interrupted twice and resumed gives the bytes of a run left alone', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 1000 --out x.npz --quiet');
  // Steps beyond one epoch, a validation on the way, and the parts of the optimiser that have a memory.
  const options = 'train dw4 --data x.npz --steps 900 --batch 64 --seed 4 --weight-decay 0.01 --workers 1';
  await succeeds(t, folder, `${options} --out alone.safetensors --quiet`);
  const line = `${options} --out halting.safetensors`;
  isInterrupted(t, await interrupt(folder, line, 'SIGINT', 'training'));
  const names = async () => [...(await contents(folder)).keys()];
  const halted = ['alone.safetensors', 'halting.safetensors.checkpoint', 'x.npz'];
  t.deepEqual(await names(), halted);
  const again = await interrupt(folder, `${line} --resume`, 'SIGTERM', 'training');
  isInterrupted(t, again);
  t.regex(again.stderr, /stopped after step [1-9]\d*; run again with --resume/);
  t.deepEqual(await names(), halted);

  const other = await equiflow(folder, `${line} --resume --learning-rate 0.1`.split(' '));
  t.is(other.code, 65);
  t.regex(other.stderr, /^equiflow: halting\.safetensors\.checkpoint: made with other options [^\n]+\n$/);

  await succeeds(t, folder, `${line} --resume --quiet`);
  const files = await contents(folder);
  t.deepEqual([...files.keys()], ['alone.safetensors', 'halting.safetensors', 'x.npz']);
  t.true(files.get('halting.safetensors')!.equals(files.get('alone.safetensors')!));
});

test.serial(
  'training that is killed outright leaves a checkpoint, from which it ends with the bytes of a run left alone',
  async (t) => {
    const folder = await ownFolder(t);
    await succeeds(t, folder, 'simulate dw4 -n 1000 --out x.npz --quiet');
    const options = 'train dw4 --data x.npz --steps 1000 --batch 64 --seed 4 --integrator-steps 20';
    await succeeds(t, folder, `${options} --out alone.safetensors --quiet`);
    const line = `${options} --out killed.safetensors`;
    let watching: NodeJS.Timeout | undefined;
    const { code } = await equiflow(folder, line.split(' '), (child) => {
      // The first checkpoint comes with the first validation; its file is looked for, since reports of progress may be late.
      watching ??= setInterval(() => {
        if (existsSync(join(folder, 'killed.safetensors.checkpoint'))) child.kill('SIGKILL');
      }, 2);
    });
    clearInterval(watching);
    t.not(code, 0);
    const record = await readFile(join(folder, 'killed.safetensors.training.jsonl'), 'utf8');
    t.regex(record.split('\n')[0], /^\{"step":0,"validation":\{"trainingNll":/);
    await succeeds(t, folder, `${line} --resume --quiet`);
    const files = await contents(folder);
    t.true(files.get('killed.safetensors')!.equals(files.get('alone.safetensors')!));

    // The record of the two runs together is that of one.
    const steps = async (name: string) => {
      const lines = (await readFile(join(folder, `${name}.safetensors.training.jsonl`), 'utf8')).trimEnd().split('\n');
      return lines.map((text) => ({ ...JSON.parse(text), ms: 0 }));
    };
    const alone = await steps('alone');
    t.deepEqual(await steps('killed'), alone);
    t.is(alone.filter(({ validation }) => validation === undefined).length, 1000);
    for (const key of ['step', 'loss', 'terms', 'gradientNorm', 'learningRate', 'ms']) t.true(key in alone[1], key);
  },
);
