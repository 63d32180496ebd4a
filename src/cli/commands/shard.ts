import { Command, InvalidArgumentError, Option } from 'commander';
import { allocatedThreads, runShard, shardIndex } from '../../cluster/index.js';
import { integer, jsonOption, quietOption, workersOption } from '../options.js';
import { json } from '../outputs.js';
import { openRun, planOption } from '../run-options.js';
import { inSession } from '../session.js';

interface Options {
  plan: string;
  index: number | 'auto';
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function shardCommand(): Command {
  return new Command('shard')
    .description('do one shard of a run, unless it is done; after an interruption the same command goes on')
    .addOption(planOption())
    .addOption(
      new Option('--index <index>', "the shard, or auto: the index that the scheduler's array gives to this task")
        .argParser(indexOrAuto)
        .makeOptionMandatory(),
    )
    .addOption(workersOption().default(undefined, 'the cores that the scheduler allots'))
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

function indexOrAuto(text: string): number | 'auto' {
  if (text === 'auto') return text;
  try {
    return integer(0, 2 ** 31)(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`'${text}', expected the index of a shard, or auto.`);
  }
}

async function run({ plan, ...options }: Options): Promise<void> {
  const index = options.index === 'auto' ? shardIndex(process.env) : options.index;
  const workers = options.workers ?? allocatedThreads(process.env);
  await inSession({ ...options, workers }, async ({ pool, progress, signal }) => {
    const opened = await openRun(plan);
    const context = { pool, signal, onProgress: progress.update };
    const { outcome, range, resumed } = await runShard(opened.run, opened.job, index, context);
    progress.finish();
    if (options.json) {
      process.stdout.write(json({ index, outcome, ...range, resumed, workers }));
      return;
    }
    const what = `shard ${index}: ${opened.job.unit} ${range.first} to ${range.first + range.n - 1}`;
    const how = outcome === 'found' ? 'done before' : resumed > 0 ? `done, ${resumed} of them before` : 'done';
    process.stdout.write(`${what} ${how}\n`);
  });
}
