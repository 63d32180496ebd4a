import { duration, type Progress } from '../progress.js';

/** Milliseconds between redraws on a terminal, and between lines elsewhere. */
const REDRAW = 100;
const LINE_INTERVAL = 10_000;
const BAR = 24;

/** Progress on standard error, which leaves standard output to results. */
export interface ProgressDisplay {
  readonly update: Progress;
  /** Removes the bar, so that what is printed next starts on a clean line. */
  finish(): void;
}

/**
 * A bar with an ETA on a terminal; elsewhere a plain line for each new stage and every ten seconds. `quiet` shows nothing.
 */
export function progressDisplay(quiet: boolean, stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  if (quiet) return { update: () => {}, finish: () => {} };
  let stage = '';
  let started = 0;
  let startedAt = 0;
  let drawn = 0;
  let open = false;
  const update: Progress = (report) => {
    const now = performance.now();
    const fresh = report.stage !== stage;
    if (fresh) {
      stage = report.stage;
      started = now;
      startedAt = report.done;
    }
    const finished = report.done >= report.total;
    if (!fresh && !finished && now - drawn < (stream.isTTY ? REDRAW : LINE_INTERVAL)) return;
    if (!stream.isTTY && finished && !fresh && now - started < LINE_INTERVAL) return;
    drawn = now;
    const elapsed = (now - started) / 1000;
    const rate = (report.done - startedAt) / elapsed;
    const eta = finished ? duration(elapsed) : rate > 0 ? `ETA ${duration((report.total - report.done) / rate)}` : '';
    const fraction = report.total > 0 ? Math.min(1, report.done / report.total) : 0;
    const percent = `${Math.floor(100 * fraction)} %`.padStart(5);
    const tail = `${percent}  ${eta}${report.detail ? `  ${report.detail}` : ''}`;
    if (stream.isTTY) {
      const filled = Math.round(BAR * fraction);
      const line = `${stage} ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${tail}`;
      // A terminal that does not know its width says 0.
      stream.write(`\r\x1b[K${line.slice(0, (stream.columns || 100) - 1)}`);
      open = true;
    } else {
      stream.write(`${stage} ${tail}\n`);
    }
  };
  const finish = () => {
    if (open) stream.write('\r\x1b[K');
    open = false;
  };
  return { update, finish };
}
