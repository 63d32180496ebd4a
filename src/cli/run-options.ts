import { Option } from 'commander';
import { type Job, openJob, type Run, readRun } from '../cluster/index.js';

/** The option by which all commands on a run name it. */
export const planOption = () => new Option('--plan <path>', 'run folder, or its plan.json').makeOptionMandatory();

/** A run with its job, ready to be done. */
export interface OpenedRun {
  readonly run: Run;
  readonly job: Job;
}

/** @throws as `readRun` and `openJob` */
export async function openRun(path: string): Promise<OpenedRun> {
  const run = await readRun(path);
  return { run, job: await openJob(run) };
}
