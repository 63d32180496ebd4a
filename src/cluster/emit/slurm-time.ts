import { UsageError } from '../../errors.js';

/** Units of each form in which Slurm takes a time, in seconds: after a hyphen, and without one. */
const AFTER_DAYS = [3600, 60, 1];
const WITHOUT_DAYS: Readonly<Record<number, readonly number[]>> = { 1: [60], 2: [60, 1], 3: [3600, 60, 1] };

/**
 * Seconds of a time as sbatch takes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or
 * days-hours:minutes:seconds.
 *
 * @throws UsageError if it has none of these forms, or is no time at all
 */
export function slurmSeconds(what: string, text: string): number {
  const match = /^(?:(\d{1,4})-)?(\d{1,6}(?::\d{1,2}){0,2})$/.exec(text);
  const [, days, rest] = match ?? [];
  const parts = rest?.split(':').map(Number) ?? [];
  const units = days === undefined ? WITHOUT_DAYS[parts.length] : AFTER_DAYS;
  const seconds = Number(days ?? 0) * 86400 + parts.reduce((sum, part, i) => sum + part * units[i], 0);
  if (!(seconds > 0)) {
    throw new UsageError(
      `${what} is '${text}', expected a time as sbatch takes it: minutes, hours:minutes:seconds or days-hours:minutes:seconds`,
    );
  }
  return seconds;
}
