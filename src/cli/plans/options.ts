import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { chooseShards, DEFAULT_MINUTES, DEFAULT_THREADS, type ShardChoice } from '../../cluster/shard-choice.js';
import { integer, outOption, positive } from '../options.js';
import { inSession, type Session } from '../session.js';

/** How a run is cut. */
export interface CutOptions {
  shards?: number;
  minutes?: number;
  threads?: number;
  firstIndex: number;
  out: string;
}

/** The command with the options of every plan. */
export function withCutOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--shards <integer>', 'number of shards').argParser(integer(1, 1e6)).conflicts(['minutes', 'threads']),
    )
    .addOption(
      new Option(
        '--minutes <minutes>',
        `without --shards: what a shard should take, by the speed measured here (default: ${DEFAULT_MINUTES})`,
      ).argParser(positive),
    )
    .addOption(
      new Option(
        '--threads <integer>',
        `without --shards: the threads that a shard will have (default: ${DEFAULT_THREADS})`,
      ).argParser(integer(1, 1024)),
    )
    .addOption(
      new Option('--first-index <index>', 'index of the first shard: 1 for schedulers that count from 1')
        .default(0)
        .argParser(integer(0, 1)),
    )
    .addOption(outOption('run folder, new or empty'));
}

/** What decides how many shards a job should have. */
export interface Cuttable {
  readonly units: number;
  readonly unit: string;
  /** Units that a shard has at least, on so many threads. */
  grain(threads: number): number;
  readonly unitBytes: number;
  /** Measures units a second and thread. */
  rate(session: Pick<Session, 'pool' | 'signal'>): Promise<number>;
}

/** The number of shards asked for; or, by the speed with the threads of a shard, or with all that this machine has, the best one. */
export async function shardsFor(
  { shards, minutes = DEFAULT_MINUTES, threads = DEFAULT_THREADS }: CutOptions,
  { rate: measure, grain, ...job }: Cuttable,
): Promise<{ readonly shards: number; readonly choice?: ShardChoice; readonly text: string }> {
  if (shards !== undefined) return { shards, text: `${shards} shards` };
  const workers = Math.min(threads, availableParallelism());
  const rate = await inSession({ workers, quiet: true }, measure);
  const choice = chooseShards({ ...job, grain: grain(threads), rate, threads, minutes });
  return { shards: choice.shards, choice, text: choice.text };
}
