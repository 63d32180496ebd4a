import { type Run, requireComplete } from '../../cluster/index.js';
import { mergeSimulation, openSimulateJob } from '../../cluster/jobs/simulate-job.js';
import { UsageError } from '../../errors.js';
import { checkWritable } from '../../formats/files.js';
import { writeRunInfo } from '../outputs.js';
import { interruptible } from '../session.js';
import { simulationText, writeSimulation } from '../simulation.js';
import type { MergeOptions } from './options.js';

/** The chains of a run as one simulation, as `equiflow simulate` writes it; without a name for it, what they say. */
export async function mergeSimulateRun(run: Run, { out, ...options }: MergeOptions): Promise<void> {
  if (out !== undefined) {
    if (!out.endsWith('.npz')) throw new UsageError(`--out ${out}: expected a name that ends in .npz`);
    await checkWritable(out);
  }
  const started = performance.now();
  const job = openSimulateJob(run);
  const { system } = job.simulation;
  await interruptible(options, async ({ progress, signal }) => {
    const complete = await requireComplete(run, job);
    const context = { signal, onProgress: progress.update };
    const simulation = await mergeSimulation(complete, context);
    progress.finish();
    if (out !== undefined) {
      await writeSimulation(out, system, simulation);
      await writeRunInfo(out, started, { shards: complete.manifests.size });
    }
    process.stdout.write(simulationText(out ?? run.folder, system, simulation, options.json ?? false));
  });
}
