import { availableParallelism } from 'node:os';
import { UsageError } from '../errors.js';
import { cpuQuota } from '../workers/cpu-quota.js';

/** Variables of a process, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface IndexVariable {
  readonly name: string;
  readonly scheduler: string;
  /** What stands there in a job that is no array. */
  readonly none?: string;
}

/** Where each scheduler says which task of an array this is. */
const INDEX_VARIABLES: readonly IndexVariable[] = [
  { name: 'SLURM_ARRAY_TASK_ID', scheduler: 'Slurm' },
  { name: 'JOB_COMPLETION_INDEX', scheduler: 'Kubernetes' },
  { name: 'AWS_BATCH_JOB_ARRAY_INDEX', scheduler: 'AWS Batch' },
  { name: 'PBS_ARRAY_INDEX', scheduler: 'PBS' },
  { name: 'SGE_TASK_ID', scheduler: 'Grid Engine', none: 'undefined' },
  { name: 'LSB_JOBINDEX', scheduler: 'LSF', none: '0' },
  { name: 'PARALLEL_SEQ', scheduler: 'GNU parallel' },
];

/**
 * The index of the shard that a scheduler wants from this process: its array index, as it is. Nothing is subtracted and no count of
 * tasks is looked at, so that a part of an array that is submitted again computes the same shards.
 *
 * @throws UsageError if no scheduler gives one, two disagree, or it is no integer from 0
 */
export function shardIndex(environment: Environment): number {
  const given = INDEX_VARIABLES.flatMap(({ name, none }) => {
    const text = environment[name]?.trim() ?? '';
    return text === '' || text === none ? [] : [{ name, text, index: indexIn(name, text) }];
  });
  if (given.length === 0) {
    const names = INDEX_VARIABLES.map(({ name, scheduler }) => `${name} (${scheduler})`).join(', ');
    throw new UsageError(`--index auto: this is no task of an array: none of ${names} is set; give the index itself`);
  }
  const other = given.find(({ index }) => index !== given[0].index);
  if (other) {
    const [a, b] = [given[0], other].map(({ name, text }) => `${name} is ${text}`);
    throw new UsageError(
      `--index auto: ${a} but ${b}: one scheduler runs inside the other; give the index itself, as in --index "$${other.name}"`,
    );
  }
  return given[0].index;
}

function indexIn(name: string, text: string): number {
  const index = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(index)) {
    throw new UsageError(`--index auto: ${name} is '${text}', expected an integer from 0`);
  }
  return index;
}

/** What the machine grants this process, whatever a scheduler said. */
export interface Processors {
  /** Those of the affinity mask. */
  readonly available: number;
  /** Processor time that the control groups grant, in processors; null where they grant all. */
  readonly quota: number | null;
}

/**
 * How many threads this process should use: as many as its scheduler has allocated, and never more than the machine grants. Without
 * an allocation, as on a machine of one's own, all that are available.
 *
 * - Slurm: SLURM_CPUS_PER_TASK; without `--cpus-per-task` it is unset, and a task has one.
 * - PBS: NCPUS; Grid Engine: NSLOTS; LSF: LSB_DJOB_NUMPROC.
 * - Kubernetes and other containers: the quota. A part of a processor counts as one more thread, which runs for a part of the time.
 *
 * @throws UsageError if such a variable is no positive integer
 */
export function allocatedThreads(environment: Environment, processors: Processors = thisProcess()): number {
  const { SLURM_JOB_ID, PBS_JOBID } = environment;
  const variables = ['SLURM_CPUS_PER_TASK', 'NSLOTS', 'LSB_DJOB_NUMPROC'];
  // Some sites set NCPUS for their own purposes.
  if (PBS_JOBID) variables.push('NCPUS');
  const allocated = variables.flatMap((name) => {
    const text = environment[name]?.trim() ?? '';
    return text === '' ? [] : [threadsIn(name, text)];
  });
  if (SLURM_JOB_ID && !environment.SLURM_CPUS_PER_TASK) allocated.push(1);
  return Math.min(processors.available, Math.ceil(processors.quota ?? processors.available), ...allocated);
}

function threadsIn(name: string, text: string): number {
  const threads = Number(text);
  if (!/^\d+$/.test(text) || threads < 1) {
    throw new UsageError(`threads of the allocation: ${name} is '${text}', expected a positive integer`);
  }
  return threads;
}

function thisProcess(): Processors {
  return { available: availableParallelism(), quota: cpuQuota() };
}
