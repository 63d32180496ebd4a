import { type Run, requireComplete } from '../../cluster/index.js';
import { openSampleJob } from '../../cluster/jobs/sample-job.js';
import { mergedSampleSet, mergedWeights, mergeSamples } from '../../cluster/jobs/sample-merge.js';
import { importanceWeights } from '../../reweighting/weights.js';
import { writeSampleSet } from '../../sampling/sample-files.js';
import { sampleProvenance } from '../../sampling/sample-manifest.js';
import { writeRunInfo } from '../outputs.js';
import { checkSamplesOut, printSamples } from '../sampling.js';
import { interruptible } from '../session.js';
import type { MergeOptions } from './options.js';

/** The samples of a run as one set, as `equiflow sample` writes it; without a name for it, what their weights say. */
export async function mergeSampleRun(run: Run, { out, ...options }: MergeOptions): Promise<void> {
  const job = await openSampleJob(run);
  const { generator, task } = job;
  const kind = out === undefined ? undefined : await checkSamplesOut(out, generator, task.n, task.precision);
  const started = performance.now();
  await interruptible(options, async ({ progress, signal }) => {
    const complete = await requireComplete(run, job);
    const context = { signal, onProgress: progress.update };
    const finished = async (report: Awaited<ReturnType<typeof mergedWeights>>) => {
      progress.finish();
      if (out !== undefined) await writeRunInfo(out, started, { shards: complete.manifests.size });
      printSamples({ out: out ?? run.folder, report }, generator, options);
    };
    if (out === undefined || kind === undefined) return finished(await mergedWeights(complete, context));
    if (kind !== 'archive') return finished(await mergeSamples(out, kind, complete, context));
    const set = await mergedSampleSet(complete, context);
    await writeSampleSet(out, set, sampleProvenance(generator, task.model, task));
    return finished(importanceWeights(set.logWeight));
  });
}
