import { Option } from 'commander';
import { type Job, openJob, type Run, readRun } from '../cluster/index.js';

/** The option by which all commands on a run name it. */
export const planOption = () => new Option('--plan <path>', 'run folder, or its plan.json').makeOptionMandatory();

/** A run with its job, ready to be done. @throws as `readRun` and `openJob` */
export async function openRun(path: string): Promise<{ run: Run; job: Job }> {
  const run = await readRun(path);
  return { run, job: await openJob(run) };
}
