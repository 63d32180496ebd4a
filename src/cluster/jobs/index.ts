import type { Job } from '../job.js';
import type { Run } from '../plan.js';
import { openSampleJob } from './sample-job.js';

/**
 * The job of a run, ready to be done.
 * @throws InputError, DataError if what it works on is missing or not what the plan says
 */
export function openJob(run: Run): Promise<Job> {
  switch (run.plan.job) {
    case 'sample':
      return openSampleJob(run);
    case 'simulate':
    case 'reweight':
      throw new Error(`no job of kind ${run.plan.job}`);
  }
}
