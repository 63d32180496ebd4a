import { availableParallelism } from 'node:os';
import test from 'ava';
import { allocatedThreads, type Environment, shardIndex } from '../../src/cluster/allocation.js';
import { UsageError } from '../../src/errors.js';

const VARIABLES = [
  'SLURM_ARRAY_TASK_ID',
  'JOB_COMPLETION_INDEX',
  'AWS_BATCH_JOB_ARRAY_INDEX',
  'PBS_ARRAY_INDEX',
  'SGE_TASK_ID',
  'LSB_JOBINDEX',
  'PARALLEL_SEQ',
];

for (const name of VARIABLES) {
  test(`${name} is the index, as it is`, (t) => {
    t.is(shardIndex({ [name]: '17', HOME: '/', SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '5' }), 17);
    for (const bad of ['-1', '1.5', '0x10', '1e3', 'three', '9007199254740993']) {
      const error = t.throws(() => shardIndex({ [name]: bad }), { instanceOf: UsageError });
      t.true(error.message.includes(`${name} is '${bad}'`), error.message);
    }
  });
}

test('index 0 is an index, except in LSF, where it means no array', (t) => {
  t.is(shardIndex({ SLURM_ARRAY_TASK_ID: '0' }), 0);
  t.is(shardIndex({ JOB_COMPLETION_INDEX: '0', LSB_JOBINDEX: '' }), 0);
  t.throws(() => shardIndex({ LSB_JOBINDEX: '0' }), { instanceOf: UsageError, message: /no task of an array/ });
});

test('outside an array the error names the variables that are looked for', (t) => {
  for (const environment of [{}, { SGE_TASK_ID: 'undefined' }, { PARALLEL_SEQ: '' }, { SLURM_JOB_ID: '12' }]) {
    const { message } = t.throws(() => shardIndex(environment), { instanceOf: UsageError });
    for (const name of VARIABLES) t.true(message.includes(name));
  }
});

test('two schedulers may agree; if they disagree neither is believed', (t) => {
  t.is(shardIndex({ SLURM_ARRAY_TASK_ID: '3', PARALLEL_SEQ: '3', SGE_TASK_ID: 'undefined' }), 3);
  const { message } = t.throws(() => shardIndex({ SLURM_ARRAY_TASK_ID: '3', PARALLEL_SEQ: '4' }), {
    instanceOf: UsageError,
  });
  t.true(message.includes('SLURM_ARRAY_TASK_ID is 3') && message.includes('PARALLEL_SEQ is 4'), message);
});

const threads = (environment: Environment, available = 64, quota: number | null = null) =>
  allocatedThreads(environment, { available, quota });

test('threads are those of the allocation', (t) => {
  t.is(threads({}), 64);
  t.is(threads({ SLURM_JOB_ID: '1', SLURM_CPUS_PER_TASK: '8', SLURM_CPUS_ON_NODE: '32' }), 8);
  t.is(threads({ NSLOTS: '12' }), 12);
  t.is(threads({ LSB_DJOB_NUMPROC: '6' }), 6);
  t.is(threads({ PBS_JOBID: '7.server', NCPUS: '5' }), 5);
});

test('a Slurm task without --cpus-per-task has one thread', (t) => {
  t.is(threads({ SLURM_JOB_ID: '1', SLURM_CPUS_ON_NODE: '32' }), 1);
});

test('NCPUS means something inside PBS only', (t) => {
  t.is(threads({ NCPUS: '5' }), 64);
});

test('threads are never more than the processors at hand or their quota', (t) => {
  t.is(threads({ NSLOTS: '12' }, 4), 4);
  t.is(threads({}, 64, 4), 4);
  t.is(threads({}, 64, 1.5), 2);
  t.is(threads({}, 64, 0.25), 1);
  t.is(threads({}, 2, 16), 2);
  t.is(threads({ SLURM_JOB_ID: '1', SLURM_CPUS_PER_TASK: '8' }, 64, 3), 3);
  const here = allocatedThreads({});
  t.true(here >= 1 && here <= availableParallelism());
});

test('a number of threads that is none is refused by its name', (t) => {
  for (const name of ['SLURM_CPUS_PER_TASK', 'NSLOTS', 'LSB_DJOB_NUMPROC']) {
    for (const bad of ['0', '-2', '4(x2)', 'many']) {
      const { message } = t.throws(() => threads({ [name]: bad }), { instanceOf: UsageError });
      t.true(message.includes(`${name} is '${bad}'`));
    }
  }
});
