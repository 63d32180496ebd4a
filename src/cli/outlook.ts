import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Job, type Outlook, outlook, type Run, type RunStatus, SHARDS_LOG, shardTimes } from '../cluster/index.js';
import type { Estimate } from '../estimate.js';
import { asInputError, systemErrorCode } from '../formats/system-errors.js';
import { duration } from '../progress.js';

/** How fast a run goes and what is left of it, as the log of its shards tells; undefined before the first is done. */
export async function runOutlook(run: Run, job: Job, status: RunStatus): Promise<Outlook | undefined> {
  const { units, running, missing } = status;
  const left = { units: job.units - units, running: running.length, shards: running.length + missing.length };
  return outlook(shardTimes(await readLog(join(run.folder, SHARDS_LOG))), left);
}

async function readLog(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw asInputError(error, path);
  }
}

/** What programs are told. */
export function outlookFacts({ cost: { rate, start, scatter }, workers, threadHours, eta }: Outlook) {
  const figure = ({ value, standardError }: Estimate) => ({ value, standardError });
  return { rate: figure(rate), start: figure(start), scatter, workers, threadHours, eta };
}

/** Lines for people. */
export function outlookLines({ cost: { rate, start }, threadHours, eta }: Outlook, unit: string): string[] {
  const figure = ({ value, standardError }: Estimate) => {
    const rounded = (x: number) => Number(x.toPrecision(3));
    return Number.isFinite(standardError) ? `${rounded(value)} ± ${rounded(standardError)}` : `${rounded(value)}`;
  };
  const begin = Number.isFinite(start.standardError) ? `, ${figure(start)} s before the first` : '';
  const end = eta === undefined ? '' : `, about ${duration(eta)} with as many shards running as now`;
  return [
    `speed     ${figure(rate)} ${unit} a second and thread${begin}`,
    ...(threadHours > 0 ? [`left      ${duration(3600 * threadHours)} of one thread${end}`] : []),
  ];
}
