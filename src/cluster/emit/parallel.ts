import { UsageError } from '../../errors.js';
import { type EmittedFile, oneLine, type RunFacts, requireLines, setupText, shellWords } from './emit.js';

/** What a user may say about a run by GNU parallel. */
export interface ParallelOptions {
  /** Threads of a shard. */
  readonly threads: number;
  /** Shards at once on each machine; by default as many as its processors hold. */
  readonly jobs?: number;
  /** Absolute path of a file of machines, as GNU parallel takes it. They see the run folder and equiflow by the same paths. */
  readonly sshLoginFile?: string;
  /** Lines of shell before equiflow starts. */
  readonly setup?: readonly string[];
}

/**
 * A script that computes the missing shards by GNU parallel, here or on machines that ssh reaches, and then merges.
 *
 * @throws UsageError if a path cannot stand in a script
 */
export function parallelScripts(facts: RunFacts, options: ParallelOptions): EmittedFile[] {
  requireLines(facts, options.setup);
  if (options.sshLoginFile !== undefined) {
    oneLine('--sshloginfile', options.sshLoginFile);
    // GNU parallel replaces these in the name of the folder to work in.
    if (/[{}]/.test(facts.run)) throw new UsageError(`the run folder is ${facts.run}: over ssh it may have no braces`);
  }
  return [
    { name: 'parallel/shard.sh', text: shardScript(facts, options), executable: true },
    { name: 'parallel/run.sh', text: runScript(facts, options), executable: true },
  ];
}

function shardScript(facts: RunFacts, options: ParallelOptions): string {
  const shard = shellWords([...facts.command, 'shard', '--plan', facts.run, '--index']);
  return `#!/bin/bash
# One shard, by its index; run.sh starts this.
${setupText(options.setup)}\
# exec leaves no shell that would take a signal.
exec ${shard} "$1" --workers ${options.threads} --quiet
`;
}

function runScript(facts: RunFacts, options: ParallelOptions): string {
  // Of the threads of each machine, here or over ssh; parallel rounds to at least one job.
  const jobs = options.jobs ?? `${Math.max(1, Math.floor(100 / options.threads))}%`;
  const machines =
    options.sshLoginFile === undefined ? '' : ` --sshloginfile ${shellWords([options.sshLoginFile])} --workdir "$PWD"`;
  const equiflow = shellWords(facts.command);
  const merge = shellWords([...facts.merge, '--quiet']);
  return `#!/bin/bash
# Computes the shards that are missing by GNU parallel, then merges. After failures, run it again: shards that are there are
# not computed again. TERM and Ctrl-C stop it in order: what running shards have done is kept.
${setupText(options.setup)}\
set -euo pipefail
run=${shellWords([facts.run])}

# There is another program of this name.
case $(parallel --version 2>/dev/null || true) in
  "GNU parallel"*) ;;
  *) echo "GNU parallel is not installed" >&2; exit 69 ;;
esac
command -v flock >/dev/null || { echo "flock is not installed" >&2; exit 69; }

# From here shard.sh has a short name, in which nothing has to be quoted.
cd "$run/parallel"

# Held by the shards too: a second run.sh would compute the same ones.
exec 9>lock
if ! flock --nonblock 9; then
  echo "another run.sh of this run is at work" >&2
  exit 75
fi

# Nothing runs, so whatever is not finished is missing.
missing=$(${equiflow} status --plan "$run" --unfinished --lines)
if [ -n "$missing" ]; then
  # A shard that is told to stop has 30 s to write what it has.
  parallel --jobs ${jobs}${machines} --joblog +jobs.log --termseq TERM,30000,KILL,1000 --tag --line-buffer ./shard.sh '{}' <<<"$missing" &
  pool=$!
  stopped=
  trap 'stopped=yes; kill -TERM "$pool" || true' INT TERM
  failed=0
  wait "$pool" || failed=$?
  if [ -n "$stopped" ]; then
    wait "$pool" || true # the first wait ended with the signal
    echo "interrupted; run it again" >&2
    exit 75
  fi
  trap - INT TERM
  if [ "$failed" != 0 ]; then
    echo "shards failed, see $PWD/jobs.log; run it again" >&2
    exit 1
  fi
fi
exec ${equiflow} merge --plan "$run" ${merge}
`;
}
