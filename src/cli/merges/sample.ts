import { type Run, requireComplete } from '../../cluster/index.js';
import { mergedSampleSet, mergeSamples, openSampleJob } from '../../cluster/jobs/sample-job.js';
import { UsageError } from '../../errors.js';
import { importanceWeights } from '../../reweighting/weights.js';
import { writeSampleSet } from '../../sampling/sample-files.js';
import { sampleProvenance } from '../../sampling/sample-manifest.js';
import type { MergeOptions } from '../commands/merge.js';
import { writeRunInfo } from '../outputs.js';
import { checkSamplesOut, printSamples } from '../sampling.js';
import { inSession } from '../session.js';

/** The samples of a run as one set, as `equiflow sample` writes it. */
export async function mergeSampleRun(run: Run, { out, ...options }: MergeOptions): Promise<void> {
  if (out === undefined) throw new UsageError('merge: no --out, expected a folder, .h5 or .npz for the samples');
  const job = await openSampleJob(run);
  const { generator, task } = job;
  const kind = await checkSamplesOut(out, generator, task.n, task.precision);
  const started = performance.now();
  await inSession({ ...options, workers: 1 }, async ({ progress, signal }) => {
    const input = { run, job, manifests: await requireComplete(run, job) };
    const context = { signal, onProgress: progress.update };
    if (kind === 'archive') {
      const set = await mergedSampleSet(input);
      await writeSampleSet(out, set, sampleProvenance(generator, task.model, task));
      printSamples({ out, report: importanceWeights(set.logWeight) }, generator, options);
    } else {
      const report = await mergeSamples(out, kind, input, context);
      progress.finish();
      printSamples({ out, report }, generator, options);
    }
    await writeRunInfo(out, started, { shards: input.manifests.size });
  });
}
