import { type Run, requireComplete } from '../../cluster/index.js';
import { mergeReweighting, openReweightJob } from '../../cluster/jobs/reweight-job.js';
import { checkProfilesWritable, writeReweighting } from '../reweighting-output.js';
import { interruptible } from '../session.js';
import type { MergeOptions } from './options.js';

/** What the samples of a run say together, as `equiflow reweight` prints it; `--out` is for profiles. */
export async function mergeReweightRun(run: Run, options: MergeOptions): Promise<void> {
  const job = openReweightJob(run);
  await checkProfilesWritable(options.out, job.task);
  await interruptible(options, async ({ progress, signal }) => {
    const complete = await requireComplete(run, job);
    const context = { signal, onProgress: progress.update };
    const result = await mergeReweighting(complete, context);
    progress.finish();
    process.stdout.write(await writeReweighting(result, job.task, options));
  });
}
