import { UsageError } from '../../errors.js';
import { defaultName, type EmittedFile, oneLine, type RunFacts, requireLines, setupText, shellWords } from './emit.js';
import { slurmSeconds } from './slurm-time.js';

/** What a user may say about the jobs. */
export interface SlurmOptions {
  /** Name of the array job; the merge is called `<name>-merge`. By default from job and plan. */
  readonly name?: string;
  /** Walltime of a shard and of the merge, as sbatch takes it. */
  readonly time: string;
  /** Seconds before the walltime at which TERM is sent. By default 120, and a quarter of a walltime below 8 minutes. */
  readonly margin?: number;
  /** Threads of a shard. */
  readonly cpus: number;
  /** Memory of a task, as sbatch takes it, such as `2G`. By default 2 GB, or 256 MB a thread if that is more. */
  readonly memory?: string;
  readonly partition?: string;
  readonly account?: string;
  /** How many shards run at once at most. */
  readonly maxRunning?: number;
  /** The largest array index that the cluster takes: its MaxArraySize less one. */
  readonly maxArray: number;
  /** Further options of sbatch, such as `--qos=long`. */
  readonly extra?: readonly string[];
  /** Lines of shell before equiflow starts, such as `module load nodejs`. */
  readonly setup?: readonly string[];
}

const MARGIN_SECONDS = 120;

/** Sampling takes a fraction of it, 75 MB and 35 MB a thread; long chains are held whole. */
const memoryFor = (cpus: number) => `${Math.max(2048, 256 * cpus)}M`;

/** Slurm sends the signal up to so much earlier than asked. */
const SIGNAL_EARLY_SECONDS = 60;

/** Names without anything that sbatch, squeue or a shell would read otherwise; partitions may be several. */
const NAMES = { name: /^\w[\w.+@-]*$/, partition: /^\w[\w.,+@-]*$/, account: /^\w[\w.+@-]*$/ };
const MEMORY = /^\d+[KMGT]?$/;

/**
 * Scripts for Slurm: one task of a job array for each missing shard, and a merge that waits for all of them.
 *
 * @throws UsageError if an option has not the form that sbatch takes, the run has more shards than an array has tasks, or a path
 *   cannot stand in a script
 */
export function slurmScripts(facts: RunFacts, options: SlurmOptions): EmittedFile[] {
  check(facts, options);
  return [
    { name: 'slurm/shard.sbatch', text: shardScript(facts, options) },
    { name: 'slurm/merge.sbatch', text: mergeScript(facts, options) },
    { name: 'slurm/submit.sh', text: submitScript(facts, options), executable: true },
  ];
}

function check(facts: RunFacts, options: SlurmOptions): void {
  const { run, firstIndex, shards } = facts;
  requireLines(facts, options.setup);
  // In the name of a log it means that nothing is to be replaced, and %a has to be.
  if (run.includes('\\'))
    throw new UsageError(`the run folder is ${run}: Slurm takes no backslash in the name of a log`);
  for (const name of ['name', 'partition', 'account'] as const) {
    const value = options[name];
    if (value !== undefined && !NAMES[name].test(value)) {
      throw new UsageError(`--${name} is '${value}', expected letters, digits and any of _ . + @ -`);
    }
  }
  if (options.memory !== undefined && !MEMORY.test(options.memory)) {
    throw new UsageError(`--memory is '${options.memory}', expected a size as sbatch takes it, such as 500M or 2G`);
  }
  for (const extra of options.extra ?? []) {
    if (!oneLine('--extra', extra).startsWith('-')) {
      throw new UsageError(`--extra is '${extra}', expected an option of sbatch, such as --extra=--qos=long`);
    }
  }
  const seconds = slurmSeconds('--time', options.time);
  if (marginOf(options) >= seconds) {
    throw new UsageError(
      `--margin is ${marginOf(options)} s, expected less than the walltime of ${seconds} s (--time ${options.time})`,
    );
  }
  const last = firstIndex + shards - 1;
  if (last > options.maxArray) {
    throw new UsageError(
      `the run has shards up to index ${last}, but a job array ends at ${options.maxArray}: plan again with fewer and larger shards ` +
        `(--shards ${Math.max(1, options.maxArray - firstIndex + 1)} at most), or give --max-array if this cluster takes more ` +
        '(one less than MaxArraySize in scontrol show config)',
    );
  }
}

function marginOf({ margin, time }: SlurmOptions): number {
  return margin ?? Math.min(MARGIN_SECONDS, Math.floor(slurmSeconds('--time', time) / 4));
}

function names(facts: RunFacts, options: SlurmOptions): { readonly shards: string; readonly merge: string } {
  const shards = options.name ?? defaultName(facts);
  return { shards, merge: `${shards}-merge` };
}

/** What a job with so many threads asks for. */
function resources(options: SlurmOptions, cpus: number): string {
  const { time, memory = memoryFor(cpus), partition, account, extra = [] } = options;
  const lines = [
    `--time=${time}`,
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${cpus}`,
    `--mem=${memory}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...extra,
  ];
  return lines.map((line) => `#SBATCH ${line}\n`).join('');
}

function shardScript(facts: RunFacts, options: SlurmOptions): string {
  const shard = [...facts.command, 'shard', '--plan', facts.run, '--index', 'auto', '--quiet'];
  return `#!/bin/bash
# One shard: task K of the array computes shard K of the plan. submit.sh submits this.
#SBATCH --job-name=${names(facts, options).shards}
${resources(options, options.cpus)}\
# TERM to equiflow itself ${marginOf(options)} s before the time is up, or up to ${SIGNAL_EARLY_SECONDS} s sooner. It keeps the blocks that are done and
# exits with 75; the next attempt goes on from there. (USR1 would open Node's debugger.)
#SBATCH --signal=B:TERM@${marginOf(options)}
# Back into the queue if the node is lost or the job preempted. Nothing else is tried again by itself.
#SBATCH --requeue
# All attempts of a shard write one log.
#SBATCH --open-mode=append

${setupText(options.setup)}\
# exec leaves no shell that would take the signal. Threads are those of --cpus-per-task.
exec ${shellWords(shard)}
`;
}

function mergeScript(facts: RunFacts, options: SlurmOptions): string {
  const merge = [...facts.command, 'merge', '--plan', facts.run, ...facts.merge, '--quiet'];
  return `#!/bin/bash
# Puts the shards together when all of them are done, on one thread. submit.sh submits this.
#SBATCH --job-name=${names(facts, options).merge}
${resources(options, 1)}\
# A merge that waits for a failed shard would wait for ever.
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --requeue
#SBATCH --open-mode=append

${setupText(options.setup)}\
exec ${shellWords(merge)}
`;
}

function submitScript(facts: RunFacts, options: SlurmOptions): string {
  const { shards, merge } = names(facts, options);
  const limit = options.maxRunning === undefined ? '' : `%${options.maxRunning}`;
  return `#!/bin/bash
# Submits the shards that are missing as one job array, and the merge behind it. After failures, run it again: shards that
# are there are not computed again. Arguments go to sbatch, for both jobs.
${setupText(options.setup)}\
set -euo pipefail
run=${shellWords([facts.run])}

# Jobs of this run that wait or run would compute the same shards once more.
queue=$(squeue --noheader --name=${shards},${merge} --format=%Z)
if grep --quiet --line-regexp --fixed-strings -e "$run" <<<"$queue"; then
  echo "jobs of this run are in the queue; see squeue --name=${shards},${merge}" >&2
  exit 75
fi

# Nothing runs, so whatever is not finished is missing.
missing=$(${shellWords([...facts.command, 'status', '--plan'])} "$run" --unfinished)
# In the name of a log, a percent sign begins a variable of Slurm.
log="\${run//%/%%}/slurm/log"
mkdir -p "$run/slurm/log"

array=
if [ -n "$missing" ]; then
  array=$(sbatch --parsable --array="$missing${limit}" --chdir="$run" --output="$log/shard-%a.log" "$@" "$run/slurm/shard.sbatch")
  array=\${array%%;*} # behind a semicolon may stand the cluster
  echo "job $array: shards $missing"
else
  echo "no shard is missing"
fi
# A failed dependency is never looked at again, so each array gets its own merge.
merge=$(sbatch --parsable \${array:+--dependency="afterok:$array"} --chdir="$run" --output="$log/merge.log" "$@" "$run/slurm/merge.sbatch")
echo "job \${merge%%;*}: merge"
`;
}
