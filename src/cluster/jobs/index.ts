import type { Job } from '../job.js';
import type { Run } from '../plan.js';

/**
 * The job of a run, ready to be done. Only the code of its kind is loaded.
 * @throws InputError, DataError if what it works on is missing or not what the plan says
 */
export async function openJob(run: Run): Promise<Job> {
  switch (run.plan.job) {
    case 'sample':
      return (await import('./sample-job.js')).openSampleJob(run);
    case 'simulate':
      return (await import('./simulate-job.js')).openSimulateJob(run);
    case 'reweight':
      return (await import('./reweight-job.js')).openReweightJob(run);
  }
}
