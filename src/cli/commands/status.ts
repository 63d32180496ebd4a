import { Command, Option } from 'commander';
import { formatIndices, type Outlook, type RunStatus, runStatus, shardCount } from '../../cluster/index.js';
import { jsonOption } from '../options.js';
import { outlookFacts, outlookLines, runOutlook } from '../outlook.js';
import { json } from '../outputs.js';
import { type OpenedRun, openRun, planOption } from '../run-options.js';

interface Options {
  plan: string;
  missing?: boolean;
  unfinished?: boolean;
  lines?: boolean;
  json?: boolean;
}

export function statusCommand(): Command {
  return new Command('status')
    .description('which shards of a run are done, running, missing or damaged')
    .addOption(planOption())
    .addOption(
      new Option('--missing', "only the shards to be run, as a scheduler's array takes them: 3,17,40-42").conflicts(
        'json',
      ),
    )
    .addOption(
      new Option(
        '--unfinished',
        'like --missing, with those that seem to be running: for whoever knows that nothing runs, since a writer that was killed seems to for a while',
      ).conflicts(['json', 'missing']),
    )
    .addOption(
      new Option('--lines', 'the indices one a line; without --unfinished those of --missing').conflicts('json'),
    )
    .addOption(jsonOption())
    .action(run);
}

async function run(options: Options): Promise<void> {
  const opened = await openRun(options.plan);
  const status = await runStatus(opened.run, opened.job);
  if (options.missing || options.unfinished || options.lines) {
    const { missing, running } = status;
    const indices = options.unfinished ? [...missing, ...running].sort((a, b) => a - b) : missing;
    if (indices.length > 0) process.stdout.write(`${options.lines ? indices.join('\n') : formatIndices(indices)}\n`);
    return;
  }
  const speed = await runOutlook(opened.run, opened.job, status);
  process.stdout.write(options.json ? statusJson(status, opened, speed) : statusText(status, opened, speed));
}

function statusJson({ done, units, ...rest }: RunStatus, { run: { plan }, job }: OpenedRun, speed?: Outlook): string {
  const counts = { job: plan.job, shards: shardCount(plan), [job.unit]: job.units };
  return json({
    ...counts,
    done: [...done.keys()],
    [`${job.unit}Done`]: units,
    ...rest,
    ...(speed ? { speed: outlookFacts(speed) } : {}),
  });
}

function statusText(status: RunStatus, { run, job }: OpenedRun, speed?: Outlook): string {
  const { done, running, missing, damaged, foreign, units } = status;
  const share = `${((100 * units) / job.units).toFixed(1)} %`;
  const listed = (name: string, indices: readonly number[]) =>
    indices.length === 0 ? [] : [`${name.padEnd(9)}${String(indices.length).padStart(6)}  ${formatIndices(indices)}`];
  const problems = [...damaged, ...foreign].map(({ reason }) => `  ${reason}`);
  return `${[
    `${run.folder}: ${units} of ${job.units} ${job.unit} in ${done.size} of ${shardCount(run.plan)} shards (${share})`,
    ...listed('running', running),
    ...listed('missing', missing),
    ...problems,
    ...(speed ? outlookLines(speed, job.unit) : []),
  ].join('\n')}\n`;
}
